import Foundation
import Testing

@testable import hybrimoe

/// `plan` and the options of the machine.
@Suite struct `A plan for a device` {
  private func plan(_ words: String...) throws -> Program.Outcome {
    try Program.run(["plan", "-m", Program.endlessModel] + words)
  }

  private func slots(_ outcome: Program.Outcome) -> Int? { outcome.json["slots"] as? Int }

  private func bytes(_ outcome: Program.Outcome, _ kind: String) -> Int {
    let gpu = outcome.json["gpu"] as? [String: Any]
    let parts = gpu?["parts"] as? [[String: Any]] ?? []
    return parts.filter { $0["what"] as? String == kind }
      .reduce(0) { $0 + ($1["bytes"] as? Int ?? 0) }
  }

  @Test(arguments: ["plan", "run", "chat", "bench", "logits", "perplexity", "trace record"])
  func `every command that plans or computes knows every option of the machine`(
    command: String
  ) throws {
    let table = try CommandTable.ofProgram.get()
    for name in [
      "threads", "device", "gpu-memory", "cache-size", "cache-ratio", "optimize-rule-path",
      "scheduler", "eviction", "admission", "prefetch-size", "emulated-machine",
    ] { #expect(table.option(name, of: command) != nil, "\(command) --\(name)") }
  }

  @Test func `is the one that a run has`() throws {
    for words in [
      [], ["--cache-size", "3"], ["--cache-ratio", "0.5"], ["--gpu-memory", "2M"],
      ["--emulated-machine", "h200+epyc"], ["--context", "64"], ["--kv-type", "q8_0"],
    ] {
      let plan = try Program.run(
        ["plan", "-m", Program.endlessModel, "--device", "emulated", "--json"] + words)
      #expect(plan.code == 0, "\(plan.error)")
      let run = try Program.run(
        ["run", "-m", Program.endlessModel, "-p", "a", "-n", "1", "--device", "emulated"] + words)
      let speed = try #require(plan.json["speed"] as? [String: Any])
      let tokens = try #require(speed["decodeTokensPerSecond"] as? Double)
      #expect(
        run.error.contains("about \(PlanLine.speed(tokens)) tokens/s expected"),
        "\(words): \(tokens), \(run.error)")
      let layers = try #require(plan.json["layers"] as? [[String: Any]])
      let onGPU = layers.filter { $0["attention"] as? String == "gpu" }
      let counts = Set(onGPU.compactMap { $0["slots"] as? Int }).sorted()
      let range = counts.map(String.init).joined(separator: " to ")
      #expect(run.error.contains("attention and \(range) of 8 experts"), "\(words): \(run.error)")
    }
  }

  @Test func `each option overrides what the planner would do`() throws {
    func plan(_ words: String...) throws -> Program.Outcome {
      try Program.run(
        ["plan", "-m", Program.endlessModel, "--machine", "rtx-3090+ddr4", "--json"] + words)
    }
    #expect(try slots(plan()) == 16, "everything fits")
    #expect(try slots(plan("--cache-size", "3")) == 6)
    #expect(try slots(plan("--cache-ratio", "0.5")) == 8)
    let small = try plan("--gpu-memory", "2M")
    #expect((small.json["gpu"] as? [String: Any])?["bytes"] as? Int == 2 << 20)
    let cpu = try plan("--device", "cpu")
    #expect(slots(cpu) == 0 && bytes(cpu, "attention") == 0)
    let speeds = try ["1", "64"].map { threads in
      let outcome = try plan("--device", "cpu", "--threads", threads)
      return try #require(
        (outcome.json["speed"] as? [String: Any])?["prefillTokensPerSecond"] as? Double)
    }
    #expect(speeds[0] < speeds[1])
    // Slots for copies ahead are slots of the system that makes them.
    let (own, other) = try (
      plan("--cache-size", "1"), plan("--cache-size", "1", "--scheduler", "all-cpu")
    )
    #expect(bytes(own, "copies in flight") > bytes(other, "copies in flight"))
    #expect(
      try plan("--scheduler", "dali").error.contains("'hybrimoe simulate' tells the other's"))
    let folder = try TemporaryFolder()
    let rules = try folder.write(
      "rules.yaml",
      """
      - match:
          name: "^model\\\\.layers\\\\.1\\\\."
        replace:
          class: "default"
          kwargs: {generate_device: "cpu", prefill_device: "cpu"}
      """)
    let ruled = try plan("--optimize-rule-path", rules.path)
    #expect(ruled.code == 0, "\(ruled.error)")
    let layers = try #require(ruled.json["layers"] as? [[String: Any]])
    #expect(layers.map { $0["attention"] as? String } == ["gpu", "cpu"])
  }

  @Test func `what is asked for and not there is refused or told`() throws {
    let cuda = try plan("--device", "cuda:0")
    #expect(cuda.code == 1 && cuda.error.contains("--device cuda:0: "), "\(cuda.error)")
    let unknown = try plan("--device", "emulated", "--emulated-machine", "rtx-309")
    #expect(unknown.code == 1 && unknown.error.contains("Is 'rtx-3090' meant?"))
    let named = try plan("--machine", "rtx-3090", "--device", "emulated")
    #expect(named.code == 0 && named.error.contains("--device emulated: no effect with --machine"))
    let idle = try plan("--device", "cpu", "--cache-size", "2", "--hit-rate", "0.5")
    #expect(idle.error.contains("--cache-size, --hit-rate: no effect with --device cpu"))
    let short = try plan("--device", "emulated", "--gpu-memory", "1k", "--json")
    #expect(short.code == 0 && short.error.contains("that takes"), "\(short.error)")
    #expect(short.json["fits"] as? Bool == false && short.json["slots"] as? Int == 0)
  }
}
