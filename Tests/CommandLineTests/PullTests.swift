import Downloads
import Foundation
import TestSupport
import Testing

@testable import hybrimoe

@Suite struct `Pull` {
  /// A hub with a model that runs, in two forms, and a folder for what is downloaded.
  private final class World {
    let hub: LocalHub
    let folder: TemporaryFolder
    var place: String { folder.path("hybrimoe/models/maker/Tiny-GGUF") }

    init() throws {
      let fixture = URL(fileURLWithPath: Program.endlessModel).deletingLastPathComponent()
      func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: fixture.appendingPathComponent(name)))
      }
      let parts = try (1...3).map { part in
        LocalHub.File(
          "F16/tiny-F16-0000\(part)-of-00003.gguf",
          try bytes("mixtral-nano-F16-split-0000\(part)-of-00003.gguf"))
      }
      hub = LocalHub(
        "maker/Tiny-GGUF",
        [LocalHub.File("tiny-Q4_0.gguf", try bytes("deepseek2-nano-Q4_0.gguf"))] + parts)
      folder = try TemporaryFolder()
    }

    func run(_ server: LocalServer, _ arguments: String...) throws -> Program.Outcome {
      server.start()
      defer { server.stop() }
      return try Program.run(
        arguments,
        environment: ["XDG_DATA_HOME": folder.url.path, "HYBRIMOE_HUB_URL": server.address])
    }

    /// A server that answers as the hub does.
    var server: LocalServer {
      let hub = hub
      return LocalServer { request, _ in hub.answer(request) }
    }
  }

  @Test func `a model is downloaded and then used by the same words`() throws {
    let world = try World()
    let outcome = try world.run(world.server, "pull", "maker/Tiny-GGUF:q4_0", "--json")
    #expect(outcome.code == 0, "\(outcome.error)")
    let path = world.place + "/tiny-Q4_0.gguf"
    #expect(outcome.json["path"] as? String == path)
    let files = outcome.json["files"] as? [[String: Any]]
    #expect(files?.first?["sha256"] as? String == world.hub.files[0].sha256)
    #expect(outcome.error.contains("its checksum is right"))
    let environment = ["XDG_DATA_HOME": world.folder.url.path]
    let answer = try Program.run(
      "run", "-m", "maker/Tiny-GGUF:Q4_0", "-p", "a", "-n", "2", environment: environment)
    #expect(answer.code == 0, "\(answer.error)")
    let byFile = try Program.run(
      "logits", "-m", path, "--tokens", "1,2", environment: environment)
    let byName = try Program.run(
      "logits", "--model_path", "someone/Tiny", "--tokens", "1,2", environment: environment)
    #expect(byName.output == byFile.output && byName.code == 0)
    // Which one it is, is said where the name alone does not.
    #expect(byName.error.contains("maker/Tiny-GGUF: \(path)"))
    let list = try Program.run("pull", "--list", environment: environment)
    #expect(list.output.contains("maker/Tiny-GGUF:tiny-Q4_0.gguf"))
  }

  @Test func `all parts of a split model are downloaded`() throws {
    let world = try World()
    let outcome = try world.run(world.server, "pull", "maker/Tiny-GGUF:F16")
    let first = world.place + "/F16/tiny-F16-00001-of-00003.gguf"
    #expect(outcome.code == 0 && outcome.output == first + "\n", "\(outcome.error)")
    #expect(outcome.error.components(separatedBy: "its checksum is right").count == 4)
    let again = try world.run(world.server, "pull", "maker/Tiny-GGUF:F16")
    #expect(again.error.components(separatedBy: "is there already").count == 4)
    let logits = try Program.run(
      "logits", "-m", "maker/Tiny-GGUF", "--tokens", "1",
      environment: ["XDG_DATA_HOME": world.folder.url.path])
    #expect(logits.code == 0, "\(logits.error)")
  }

  @Test func `without a quantisation several models are listed with their sizes`() throws {
    let world = try World()
    let outcome = try world.run(world.server, "pull", "maker/Tiny-GGUF")
    #expect(outcome.code == 1 && outcome.output.isEmpty)
    #expect(outcome.error.contains("kB  tiny-Q4_0.gguf\n"), "\(outcome.error)")
    #expect(outcome.error.contains("F16/tiny-F16-00001-of-00003.gguf, 3 parts"))
  }

  @Test func `a wrong checksum ends with an error and without a file`() throws {
    let world = try World()
    let hub = world.hub
    let server = LocalServer { request, index in
      var answer = hub.answer(request)
      if index > 0 { answer.body[1000] ^= 1 }
      return answer
    }
    let outcome = try world.run(server, "pull", "maker/Tiny-GGUF:Q4_0")
    #expect(outcome.code == 1)
    #expect(outcome.error.contains("thrown away"), "\(outcome.error)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: world.place).isEmpty)
  }

  @Test func `an interrupt keeps the part and says how to go on`() throws {
    let world = try World()
    let hub = world.hub
    let server = LocalServer { request, index in
      var answer = hub.answer(request)
      if index > 0 {
        answer.breaksAfter = 3000
        answer.stalls = true
      }
      return answer
    }
    server.start()
    let process = Program.process(
      ["pull", "maker/Tiny-GGUF:Q4_0", "--hub-url", server.address],
      environment: ["XDG_DATA_HOME": world.folder.url.path])
    let log = try world.folder.write("log", "")
    process.standardError = try FileHandle(forWritingTo: log)
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    func partByteCount() -> Int? {
      ModelFolder.files(in: world.place).first { $0.path.hasSuffix(".part") }?.byteCount
    }
    while process.isRunning, partByteCount() != 3000 { sched_yield() }
    process.interrupt()
    process.waitUntilExit()
    server.stop()
    #expect(process.terminationStatus == 130)
    let said = try world.folder.read("log")
    #expect(said.contains("'hybrimoe pull maker/Tiny-GGUF:Q4_0' goes on from it"), "\(said)")
    #expect(partByteCount() == 3000)
    let outcome = try world.run(world.server, "pull", "maker/Tiny-GGUF:Q4_0")
    #expect(outcome.code == 0 && outcome.error.contains("going on after 3.00 kB"))
  }

  static let refusals = [
    (["pull"], "missing"), (["pull", "model"], "OWNER/NAME"), (["pull", "a/b:"], "OWNER/NAME"),
    (["pull", "a/b", "--list"], "give no repository"), (["pull", "../b"], "OWNER/NAME"),
  ]

  @Test(arguments: refusals)
  func `wrong usage is refused with a reason`(arguments: [String], part: String) throws {
    let outcome = try Program.run(arguments)
    #expect(outcome.code == 64 && outcome.error.contains(part), "\(outcome.error)")
  }

  @Test func `only one module can reach a network`() throws {
    let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Sources")
    let files = try #require(
      FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
    var seen = 0
    for case let file as URL in files where file.pathExtension == "swift" {
      let text = try String(contentsOf: file, encoding: .utf8)
      seen += 1
      guard !file.path.contains("/Product/Downloads/") else { continue }
      for word in ["import AsyncHTTPClient", "import NIO", "import FoundationNetworking"] {
        #expect(!text.contains(word), "\(file.path)")
      }
      // And of what is not Downloads, only this command asks it to.
      if text.contains("Hub(") { #expect(file.lastPathComponent == "PullWork.swift") }
    }
    #expect(seen > 100)
  }
}
