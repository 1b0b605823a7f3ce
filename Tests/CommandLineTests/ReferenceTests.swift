import Foundation
import Testing

@testable import hybrimoe

@Suite struct `Reference` {
  @Test func `the written reference is what the program says`() throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Docs/COMMANDS.md")
    let written = try String(contentsOf: file, encoding: .utf8)
    let now = try Program.run("reference").output
    #expect(!now.isEmpty)
    #expect(written == now, "write it anew: hybrimoe reference > Docs/COMMANDS.md")
  }

  @Test(arguments: ["bash", "zsh", "fish"])
  func `a completion script knows commands and options`(shell: String) throws {
    let outcome = try Program.run("completions", shell)
    #expect(outcome.code == 0)
    for word in ["perplexity", "cache-ratio", "timeline-svg"] {
      #expect(outcome.output.contains(word), "\(word)")
    }
  }

  @Test func `bash completes a command's name with the script`() throws {
    let folder = try TemporaryFolder()
    let script = try folder.write(
      "hybrimoe.bash", try Program.run("completions", "bash").output)
    let shell = Process()
    shell.executableURL = URL(fileURLWithPath: "/bin/bash")
    shell.arguments = [
      "--norc", "-c",
      """
      source "$0" && COMP_WORDS=(hybrimoe perp) COMP_CWORD=1 COMP_LINE='hybrimoe perp' COMP_POINT=13
      _hybrimoe hybrimoe perp hybrimoe; printf '%s' "${COMPREPLY[*]}"
      """,
      script.path,
    ]
    let pipe = Pipe()
    shell.standardOutput = pipe
    try shell.run()
    let completed = try pipe.fileHandleForReading.readToEnd() ?? Data()
    shell.waitUntilExit()
    #expect(String(decoding: completed, as: UTF8.self).contains("perplexity"))
  }
}
