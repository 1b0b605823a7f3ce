import GGUF
import Sampling
import TestSupport
import Testing

@testable import hybrimoe

@Suite struct `Options of sampling` {
  private func file(_ hints: [String: GGUFValue] = [:], tokens: Int? = nil) throws -> GGUFMetadata {
    var writer = GGUFWriter()
    for (name, value) in hints { try writer.set("general.sampling." + name, value) }
    if let tokens {
      let names = (0..<tokens).map { "t\($0)" }
      try writer.set("tokenizer.ggml.tokens", .array(GGUFArray(names)))
    }
    let bytes = try writer.bytes { _ in [] }
    return try GGUFFile.open(path: "made") { _ in MemoryBytes(bytes) }.metadata
  }

  private func settings(
    _ arguments: [String], hints: [String: GGUFValue] = [:]
  ) throws -> SamplingSettings {
    try GenerationOptions.parse(arguments + ["--seed", "1"]).settings(try file(hints))
  }

  private func message(_ arguments: String...) -> String {
    do {
      let options = try GenerationOptions.parse(arguments)
      return "accepted: \(try options.settings(try file(tokens: 10)))"
    } catch { return GenerationOptions.message(for: error) }
  }

  @Test func `all are off unless they are asked for`() throws {
    #expect(try settings([]) == SamplingSettings(seed: 1))
    #expect(
      try settings([]).activeSteps == [.topK, .topP, .minP, .temperature])
  }

  @Test func `take effect as they are given`() throws {
    let given = try settings([
      "--typical-p", "0.9", "--top-n-sigma", "2", "--xtc-probability", "0.5", "--xtc-threshold",
      "0.2", "--repeat-penalty", "1.25", "--presence-penalty", "-0.5", "--frequency-penalty",
      "0.25", "--repeat-last-n", "-1", "--dry-multiplier", "0.5", "--dry-base", "2",
      "--dry-allowed-length", "3", "--dry-penalty-last-n", "100", "--dry-sequence-breaker", "\n",
      "--dry-sequence-breaker", "-", "--logit-bias", "5=-inf", "--logit-bias", "6=1.5",
      "--samplers", "temperature;penalties,dry", "--temperature", "0.5",
    ])
    let expected = try SamplingSettings(
      temperature: 0.5, typicalP: 0.9, topNSigma: 2,
      xtc: ExcludedTopChoices(probability: 0.5, threshold: 0.2),
      penalties: RepetitionPenalties(
        repeat: 1.25, presence: -0.5, frequency: 0.25, lastCount: -1),
      dry: DRYPenalty(
        multiplier: 0.5, base: 2, allowedLength: 3, lastCount: 100, breakers: ["\n", "-"]),
      logitBias: [5: -.infinity, 6: 1.5], order: [.temperature, .penalties, .dry], seed: 1)
    #expect(given == expected)
    #expect(try settings(["--dry-sequence-breaker", "none"]).dry.breakers.isEmpty)
  }

  @Test func `that are wrong are named with what is right`() {
    #expect(message("--typical-p", "2").hasPrefix("typical-p is 2.0, but must be above 0"))
    #expect(message("--repeat-penalty", "nan").hasPrefix("repeat-penalty is nan, but must be"))
    #expect(message("--dry-base", "0.5").hasPrefix("dry-base is 0.5, but must be"))
    #expect(
      message("--samplers", "top-q").contains("names 'top-q', but the samplers are penalties"))
    #expect(message("--samplers", "dry,dry").contains("names dry twice"))
    for bad in ["5", "5=", "=1", "-5=1", "5=1=2", "a=1", "5=x"] {
      #expect(message("--logit-bias", bad).contains("as in 29=-1.5"), "\(bad)")
    }
    for bad in ["5=nan", "5=inf", "5=1e40", "5=-1e40"] {
      #expect(message("--logit-bias", bad).contains("a finite number or -inf"), "\(bad)")
    }
    #expect(message("--logit-bias", "5=1", "--logit-bias", "5=2").contains("twice for token 5"))
    #expect(message("--logit-bias", "10=1").contains("this model's tokens are 0 to 9"))
    #expect(message("--logit-bias", "9=1").hasPrefix("accepted"))
    #expect(
      message("--dry-sequence-breaker", "none", "--dry-sequence-breaker", "x").contains("'none'"))
  }

  @Test func `are taken from the file where the user says nothing`() throws {
    let hints: [String: GGUFValue] = [
      "xtc_probability": .float32(0.5), "xtc_threshold": .float32(0.25),
      "penalty_repeat": .float32(1.5), "penalty_last_n": .int32(-1),
      "sequence": .string("penalties;typ_p;nucleus;temp"),
    ]
    let found = try settings([], hints: hints)
    #expect(found.xtc == (try ExcludedTopChoices(probability: 0.5, threshold: 0.25)))
    #expect(found.penalties == (try RepetitionPenalties(repeat: 1.5, lastCount: -1)))
    #expect(found.order == [.penalties, .typicalP, .topP, .temperature])
    #expect(try settings(["--repeat-penalty", "1"], hints: hints).penalties.isOn == false)
    // An order that leaves out what the user asks for is not taken.
    #expect(try settings(["--top-k", "3"], hints: hints).order == SamplingStep.standardOrder)
    #expect(try settings(["--typical-p", "0.5"], hints: hints).order == found.order)
    #expect(try settings(["--samplers", "dry"], hints: hints).order == [.dry])
  }

  @Test func `of a file that are nonsense are no hint`() throws {
    for sequence in ["top_k", "top_k;mirostat;temp", "temp;temp", "", ";"] {
      #expect(
        try settings([], hints: ["sequence": .string(sequence)]).order
          == SamplingStep.standardOrder, "\(sequence)")
    }
    let found = try settings(
      [],
      hints: [
        "penalty_repeat": .float32(-1), "penalty_last_n": .int32(-9), "xtc_threshold": .float32(0),
        "xtc_probability": .float32(.nan), "sequence": .int32(5),
      ])
    #expect(found.penalties == (try RepetitionPenalties(lastCount: -1)) && found.xtc == .off)
  }

  @Test func `that took effect are in the report, with log-probabilities where wanted`() throws {
    let outcome = try Program.run(
      "run", "-m", Program.endlessModel, "-p", "a", "-n", "3", "--seed", "5", "--json",
      "--logprobs",
      "2", "--logit-bias", "3=-inf", "--samplers", "top-k;temperature", "--top-k", "7",
      environment: ["HYBRIMOE_REPEAT_PENALTY": "1.5"])
    #expect(outcome.code == 0, "\(outcome.error)")
    let sampling = try #require(outcome.json["sampling"] as? [String: Any])
    #expect(sampling["samplers"] as? [String] == ["top-k", "temperature"])
    #expect(sampling["topK"] as? Int == 7 && sampling["repeatPenalty"] as? Double == 1.5)
    #expect(sampling["logitBias"] as? [String: String] == ["3": "-inf"])
    let tokens = try #require(outcome.json["tokens"] as? [Int])
    let entries = try #require(outcome.json["logprobs"] as? [[String: Any]])
    #expect(entries.compactMap { $0["token"] as? Int } == tokens)
    for entry in entries {
      #expect((entry["logprob"] as? Double).map { $0 <= 0 } == true)
      let top = try #require(entry["top"] as? [[String: Any]])
      #expect(top.count == 2 && top[0]["bytes"] is [Int] && top[0]["text"] is String)
    }
  }
}
