import Experts
import Foundation
import HybridExperts
import Testing

@testable import hybrimoe

/// Packed weights in files, as a user meets them.
@Suite struct `Packed weights` {
  private let folder: TemporaryFolder
  private var environment: [String: String] { ["XDG_CACHE_HOME": folder.path("cache")] }
  private var model: String { folder.path("model.gguf") }

  init() throws {
    folder = try TemporaryFolder()
    try FileManager.default.copyItem(atPath: Program.endlessModel, toPath: model)
  }

  private func logits(_ weights: String...) throws -> Program.Outcome {
    try Program.run(
      ["logits", "-m", model, "--tokens", "1,2,3", "--json"] + weights, environment: environment)
  }

  private func cache(_ words: String...) throws -> Program.Outcome {
    try Program.run(["cache"] + words, environment: environment)
  }

  @Test func `every layout gives the same scores, however it is asked for`() throws {
    let plain = try logits()
    #expect(plain.code == 0 && plain.error == "")
    for weights in ["auto", "packed", "native", "cached", "cached"] {
      let found = try logits("--weights", weights)
      #expect(found.output == plain.output && found.error == "", "\(weights)")
    }
    let found = try Program.run(
      ["logits", "-m", model, "--tokens", "1,2,3", "--json"],
      environment: environment.merging(["HYBRIMOE_WEIGHTS": "native"]) { $1 })
    #expect(found.output == plain.output)
  }

  @Test func `files are listed and cleared`() throws {
    #expect(try cache("list").output.hasPrefix("0 files, 0 B in "))
    #expect(try logits("--weights", "cached").code == 0)
    let listed = try cache("list")
    #expect(listed.code == 0 && listed.output.contains("model.gguf\n1 file, "))
    let json = try cache("list", "--json").json
    let files = try #require(json["files"] as? [[String: Any]])
    #expect(files.count == 1)
    #expect(files[0]["usable"] as? Bool == true && files[0]["model"] as? String == "model.gguf")
    #expect(json["bytes"] as? Int == files[0]["bytes"] as? Int)
    #expect(try cache("clear").output.hasPrefix("Removed 1 file, "))
    #expect(try cache("list", "--json").json["bytes"] as? Int == 0)
    #expect(try cache("clear").output == "Removed 0 files, 0 B.\n")
  }

  @Test func `a damaged file is listed as such, told of once and made again`() throws {
    let plain = try logits("--weights", "cached")
    let json = try cache("list", "--json").json
    let files = try #require(json["files"] as? [[String: Any]])
    let path = try #require(files.first?["path"] as? String)
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    try whole.prefix(5000).write(to: URL(fileURLWithPath: path))
    #expect(try cache("list").output.contains("(damaged)"))
    let again = try logits("--weights", "cached")
    #expect(again.code == 0 && again.output == plain.output)
    #expect(again.error.hasPrefix("Warning: the packed weights in "))
    #expect(again.error.contains("5000 bytes instead of \(whole.count)"))
    #expect(again.error.split(separator: "\n").count == 1)
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == whole)
    #expect(try logits("--weights", "cached").error == "")
  }

  @Test func `without a place for files weights are packed in memory, and that is said`() throws {
    let outcome = try Program.run(
      ["logits", "-m", model, "--tokens", "1,2,3", "--json", "--weights", "cached"],
      environment: ["HOME": ""])
    let plain = try logits()
    #expect(outcome.code == 0 && outcome.output == plain.output)
    #expect(outcome.error.hasPrefix("Warning: weights are packed in memory, without a file: "))
    let list = try Program.run("cache", "list", environment: ["HOME": ""])
    #expect(list.code == 1 && list.error.contains("XDG_CACHE_HOME"))
  }

  @Test func `wrong words are errors that list the right ones`() throws {
    for (words, part) in [
      (["logits", "--weights", "fast"], "'auto', 'packed', 'native'"),
      (["logits", "--affinity", "all"], "'auto', 'none'"),
      (["cache"], "cache has list, clear"), (["cache", "empty"], "There is no command"),
    ] {
      let outcome = try Program.run(words)
      #expect(outcome.code == 64 && outcome.error.contains(part), "\(words): \(outcome.error)")
    }
  }

  @Test(arguments: ["auto", "none", "cores"])
  func `threads may be bound, and the scores stay`(_ affinity: String) throws {
    let plain = try logits()
    for threads in ["1", "2", "3"] {
      #expect(try logits("--affinity", affinity, "-t", threads).output == plain.output)
    }
  }
}

@Suite struct `Calibrations` {
  private let folder: TemporaryFolder
  private var cache: CalibrationCache {
    CalibrationCache(folder: folder.path("hybrimoe/calibrations"))
  }

  init() throws { folder = try TemporaryFolder() }

  private var made: Calibration {
    var calibration = Calibration(key: "a/b Q4_K on GPU \"9\"")
    var costs = MeasuredCosts()
    costs.model = CostModel(
      cpu: [
        "*": .init(
          firstMicroseconds: 1.5, bytesPerMicrosecond: 20_000, parameterTokensPerMicrosecond: 3e5)
      ],
      gpu: .init(
        launchMicroseconds: 7, expertMicroseconds: 2, bytesPerMicrosecond: 7e5, kneeTokens: 12,
        parameterTokensPerMicrosecond: 1.4e7),
      link: .init(
        latencyMicroseconds: 8, bytesPerMicrosecond: 25_000, overlappedBytesPerMicrosecond: 20_000),
      handshakeMicroseconds: 20)
    calibration.costs = costs
    calibration.popularity = [0, 1, 2.5]
    return calibration
  }

  @Test func `are read back as they were kept`() throws {
    #expect(cache.calibration(made.key) == nil)
    try cache.keep(made)
    #expect(cache.calibration(made.key) == made)
    #expect(cache.calibration(made.key + "!") == nil, "another machine has figures of its own")
  }

  @Test func `that cannot be read are listed as such and not used`() throws {
    try cache.keep(made)
    let path = try #require(try cache.entries().first).path
    #expect(try cache.entries().first?.title == "a/b Q4_K on GPU \"9\"")
    let text = try String(contentsOfFile: path, encoding: .utf8)
    for wrong in [
      text.replacing("\"hybrimoeCalibration\":1", with: "\"hybrimoeCalibration\":2"),
      String(text.prefix(100)), text.replacing("25000.0", with: "-1"), "",
    ] {
      try Data(wrong.utf8).write(to: URL(fileURLWithPath: path))
      #expect(cache.calibration(made.key) == nil)
      #expect(try cache.entries().first?.fault != nil)
    }
  }

  @Test func `are listed and cleared beside packed weights`() throws {
    try cache.keep(made)
    let environment = ["XDG_CACHE_HOME": folder.path("")]
    let listed = try Program.run("cache", "list", environment: environment)
    #expect(listed.output.contains("a/b Q4_K on GPU \"9\"\n1 calibration in "))
    let json = try Program.run("cache", "list", "--json", environment: environment).json
    #expect((json["calibrations"] as? [[String: Any]])?.first?["usable"] as? Bool == true)
    let cleared = try Program.run("cache", "clear", environment: environment)
    #expect(cleared.output == "Removed 0 files, 0 B and 1 calibration.\n")
    #expect(try cache.entries().isEmpty)
  }
}
