import Foundation
import Testing

/// What a device has room for, and what is expected of it, as a user meets it.
@Suite struct `Fitting a model on a device` {
  private static func run(_ words: String...) throws -> Program.Outcome {
    try Program.run(
      [
        "run", "-m", Program.endlessModel, "-p", "hello there", "-n", "6", "--temperature", "0",
        "--device", "emulated",
      ] + words)
  }

  private static func need(_ words: [String]) throws -> Int {
    let refused = try Program.run(
      [
        "run", "-m", Program.endlessModel, "-p", "a", "-n", "1", "--device", "emulated",
        "--gpu-memory", "1",
      ] + words)
    #expect(refused.code == 1 && refused.output.isEmpty)
    let match = try #require(refused.error.firstMatch(of: /that takes (\d+) bytes/))
    return try #require(Int(match.1))
  }

  @Test(arguments: [[], ["--scheduler", "all-gpu"], ["--context", "40", "--kv-type", "f32"]])
  func `the least memory that it takes is told, and enough to the byte`(_ words: [String]) throws {
    let need = try Self.need(words)
    func run(_ bytes: Int, _ more: String...) throws -> Program.Outcome {
      try Program.run(
        [
          "run", "-m", Program.endlessModel, "-p", "hello there", "-n", "6", "--temperature", "0",
          "--device", "emulated", "--gpu-memory", "\(bytes)",
        ] + words + more)
    }
    let alone = try Program.run(
      ["run", "-m", Program.endlessModel, "-p", "hello there", "-n", "6", "--temperature", "0"])
    let enough = try run(need)
    #expect(enough.code == 0 && enough.output == alone.output, "\(enough.error)")
    #expect(!enough.error.contains("has no room for"), "\(enough.error)")
    let less = try run(need - 1)
    #expect(less.code == 1 && less.error.contains("takes \(need) bytes"), "\(less.error)")
    // All that is planned is really taken: a device that has a byte less notices.
    let lacking = try run(need, "--emulated-failure", "memory:\(need - 1)")
    #expect(lacking.error.contains("has no room for"), "\(lacking.error)")
  }

  @Test func `with more memory more is there, and never more than was planned`() throws {
    let need = try Self.need([])
    for more in [0, 20_000, 300_000, 700_000, 1_200_000, 4_000_000] {
      let outcome = try Self.run("--gpu-memory", "\(need + more)", "--cache-ratio", "1")
      #expect(outcome.code == 0, "\(outcome.error)")
      #expect(!outcome.error.contains("is cut down"), "\(more): \(outcome.error)")
      #expect(!outcome.error.contains("bytes of"), "\(more): \(outcome.error)")
    }
  }

  @Test(arguments: [
    ("rtx-3090+ddr4", ["--cache-size", "2"]), ("rtx-3090+ddr4", ["--cache-size", "0"]),
    ("rtx-3090+ddr4", ["--cache-ratio", "1"]), ("h200+epyc", ["--cache-size", "4"]),
    ("a100", ["--cache-size", "1", "--prefetch-size", "0"]),
  ])
  func `what is expected comes within 15 %`(_ machine: String, _ words: [String]) throws {
    let outcome = try Program.run(
      [
        "run", "-m", Program.endlessModel, "-p", "hello there", "-n", "40", "--temperature", "0",
        "--device", "emulated", "--emulated-machine", machine, "--json",
      ] + words)
    let match = try #require(outcome.error.firstMatch(of: /about ([\d.]+) tokens\/s expected/))
    let expected = try #require(Double(match.1))
    let engine = try #require(outcome.json["engine"] as? [String: Any])
    let decode = try #require(engine["decode"] as? [String: Any])
    let speed = try #require(decode["tokensPerSecond"] as? Double)
    #expect(abs(expected - speed) < 0.15 * speed, "\(expected) expected, \(speed) modelled")
  }

  @Test func `nothing is expected of systems whose plans are not the best`() throws {
    let outcome = try Self.run("--scheduler", "all-cpu")
    #expect(outcome.code == 0 && outcome.error.contains("CPU: the rest."))
  }

  @Test(arguments: ["cpu", "emulated"])
  func `a file of rules is read before a model`(_ device: String) throws {
    let folder = try TemporaryFolder()
    let broken = try folder.write("broken.yaml", "- match: {name: '('}\n  replace: {}\n")
    for command in ["run", "chat", "bench", "logits", "plan"] {
      var words = [command, "-m", "/nonexistent.gguf", "--device", device]
      if command == "run" { words += ["-p", "a"] }
      if command == "logits" { words += ["--tokens", "1"] }
      let missing = try Program.run(words + ["--optimize-rule-path", "/nonexistent.yaml"])
      #expect(missing.code == 1 && missing.error.contains("Cannot read"), "\(missing.error)")
      #expect(missing.error.contains("nonexistent.yaml"), "\(missing.error)")
      let wrong = try Program.run(words + ["--optimize-rule-path", broken.path])
      #expect(wrong.code == 1 && wrong.error.contains("broken.yaml, line 1: "), "\(wrong.error)")
    }
  }
}
