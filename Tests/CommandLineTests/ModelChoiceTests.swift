import Foundation
import Testing

@testable import Downloads
@testable import hybrimoe

@Suite struct `Model choice` {
  @Test func `a folder stands for the only model in it`() throws {
    let folder = try TemporaryFolder()
    func choice() throws -> String { try ModelOptions.onlyModel(in: folder.url.path) }
    #expect(throws: CommandFailure.self) { try choice() }
    try folder.write("mmproj-x.gguf", "")
    try folder.write("notes.txt", "")
    for part in 1...3 { try folder.write("m-0000\(part)-of-00003.gguf", "abc") }
    #expect(try choice().hasSuffix("/m-00001-of-00003.gguf"))
    try folder.write("other.gguf", "")
    let error = #expect(throws: CommandFailure.self) { try choice() }
    let message = error?.description ?? ""
    #expect(message.contains("holds 2 models"))
    #expect(message.contains("9 B  m-00001-of-00003.gguf, 3 parts\n"), "\(message)")
    #expect(message.hasSuffix("0 B  other.gguf"), "\(message)")
  }

  @Test func `a folder of folders stands for the only model in them`() throws {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(
      atPath: folder.path("Q8_0"), withIntermediateDirectories: true)
    for part in 1...2 { try folder.write("Q8_0/m-0000\(part)-of-00002.gguf", "abc") }
    #expect(
      try ModelOptions.onlyModel(in: folder.url.path) == folder.path("Q8_0/m-00001-of-00002.gguf"))
  }

  /// What a model's name leads to where these files were downloaded; an error as its message.
  private func choice(_ name: String, among files: [String]) throws -> String {
    let folder = try TemporaryFolder()
    let environment = ["XDG_DATA_HOME": folder.url.path]
    let place = folder.path("hybrimoe/models") + "/"
    for file in files {
      let parent = URL(fileURLWithPath: place + file).deletingLastPathComponent()
      try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
      try folder.write("hybrimoe/models/" + file, "abc")
    }
    do {
      switch try ModelOptions.parse(["-m", name]).choice(environment: environment) {
      case .bundled: return "bundled"
      case .file(let path): return "file \(path)"
      case .pulled(let path, from: let repository):
        #expect(path.hasPrefix(place + "\(repository)/"))
        return String(path.dropFirst(place.count))
      }
    } catch {
      return "\(error)"
    }
  }

  static let pulled = [
    "a/M-GGUF/M.Q4_K_M.gguf", "a/M-GGUF/M.Q8_0.gguf", "a/N-GGUF/Q2_K/N-00001-of-00002.gguf",
    "a/N-GGUF/Q2_K/N-00002-of-00002.gguf", "b/N-GGUF/N.Q8_0.gguf", "c/H/H-00001-of-00002.gguf",
    "d/P-GGUF/P.gguf.0123456789ab.part", "e/One-GGUF/one-F16.gguf",
  ]

  static let found = [
    ("a/M-GGUF:Q4_K_M", "a/M-GGUF/M.Q4_K_M.gguf"), ("a/M-GGUF:q8_0", "a/M-GGUF/M.Q8_0.gguf"),
    ("a/M-GGUF", "a/M-GGUF/M.Q4_K_M.gguf"), ("a/M-GGUF:M.Q8_0.gguf", "a/M-GGUF/M.Q8_0.gguf"),
    ("maker/M", "a/M-GGUF/M.Q4_K_M.gguf"), ("maker/m:Q8_0", "a/M-GGUF/M.Q8_0.gguf"),
    ("a/N-GGUF", "a/N-GGUF/Q2_K/N-00001-of-00002.gguf"), ("x/one", "e/One-GGUF/one-F16.gguf"),
    ("./M-GGUF", "a/M-GGUF/M.Q4_K_M.gguf"), ("/some/where/M-GGUF/", "a/M-GGUF/M.Q4_K_M.gguf"),
    ("M-GGUF", "a/M-GGUF/M.Q4_K_M.gguf"),
  ]

  @Test(arguments: found)
  func `a downloaded model is found by its repository or its name`(
    name: String, path: String
  ) throws {
    #expect(try choice(name, among: Self.pulled) == path)
  }

  static let missing: [(String, [String])] = [
    ("./N-GGUF", ["no folder './N-GGUF'", "(a/N-GGUF, b/N-GGUF)"]), ("./M", ["Give --model"]),
    ("x/N", ["several repositories (a/N-GGUF, b/N-GGUF)"]),
    (
      "a/M-GGUF:Q5_K_M", ["has no 'Q5_K_M'", "3 B  M.Q4_K_M.gguf", "hybrimoe pull a/M-GGUF:Q5_K_M"]
    ),
    ("c/H", ["unfinished", "hybrimoe pull c/H:H-00001-of-00002.gguf"]),
    ("d/P-GGUF:Q4_K_M", ["unfinished", "hybrimoe pull d/P-GGUF:Q4_K_M"]),
    ("x/Other-GGUF:Q8_0", ["Download it: hybrimoe pull x/Other-GGUF:Q8_0"]),
    (
      "deepseek-ai/DeepSeek-V2-Lite-Chat",
      ["hybrimoe pull mzwing/DeepSeek-V2-Lite-Chat-GGUF:Q4_K_M"]
    ),
    ("x/Other", ["huggingface.co/models?library=gguf&search=Other", "hybrimoe pull"]),
    ("x/other.gguf", ["There is no file 'x/other.gguf'. Give"]), ("/no/name", ["Give --model"]),
    ("./a/b", ["Give --model"]), ("../a:b", ["Give --model"]),
  ]

  @Test(arguments: missing)
  func `what was not downloaded is refused with what to type`(
    name: String, parts: [String]
  ) throws {
    let message = try choice(name, among: Self.pulled)
    for part in parts { #expect(message.contains(part), "\(message)") }
  }

  @Test func `without a home there are no downloads, and no trap`() throws {
    #expect(throws: CommandFailure.self) {
      try ModelOptions.parse(["-m", "a/b"]).choice(environment: [:])
    }
  }
}
