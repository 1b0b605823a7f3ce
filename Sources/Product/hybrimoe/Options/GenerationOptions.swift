import ArgumentParser
import GGUF
import Sampling

/// How an answer is generated. A command has it as a group without a title: its parts have theirs.
struct GenerationOptions: ParsableArguments {
  @OptionGroup(title: "Generation") var limits: AnswerLimits
  @OptionGroup(title: "Sampling") var sampling: SamplingOptions
  @OptionGroup(title: "Repetition") var repetition: RepetitionOptions

  var maxTokens: Int? { limits.maxTokens }
  var stop: [String] { limits.stop }

  func validate() throws {
    do {
      _ = try settings(SamplingHints(), seed: 0)
    } catch {
      throw ValidationError("\(error)")
    }
  }

  /// The sampling settings: what was given, else what the model's file says, else ours. A seed is
  /// drawn where none was given.
  func settings(_ metadata: GGUFMetadata) throws -> SamplingSettings {
    // 53 bits, so that the seed survives every JSON reader when it is reported.
    let settings = try settings(
      SamplingHints(metadata), seed: sampling.seed ?? UInt64.random(in: 0..<(1 << 53)))
    if let count = try metadata.stringArrayCount("tokenizer.ggml.tokens") {
      try settings.checkBiases(vocabularySize: count)
    }
    return settings
  }

  private func settings(_ hints: SamplingHints, seed: UInt64) throws -> SamplingSettings {
    try SamplingSettings(
      temperature: sampling.temperature ?? hints.temperature ?? 0.8,
      topK: sampling.topK ?? hints.topK ?? 40, topP: sampling.topP ?? hints.topP ?? 0.95,
      minP: sampling.minP ?? hints.minP ?? 0.05, typicalP: sampling.typicalP ?? 1,
      topNSigma: sampling.topNSigma ?? 0, xtc: sampling.xtc(hints),
      penalties: repetition.penalties(hints), dry: repetition.dry(), logitBias: sampling.biases(),
      order: order(hints), seed: seed)
  }

  /// The order that was given; else the file's, unless it leaves out what an option asks for.
  private func order(_ hints: SamplingHints) -> [SamplingStep] {
    if let order = sampling.samplers { return order }
    let asked = sampling.askedSteps + repetition.askedSteps
    guard let order = hints.order, asked.allSatisfy(order.contains) else {
      return SamplingStep.standardOrder
    }
    return order
  }
}

/// Where an answer ends, if the model does not end it.
struct AnswerLimits: ParsableArguments {
  @Option(
    name: [
      .customShort("n", allowingJoined: true), .customLong("max-tokens"),
      .customLong("max-new-tokens"),
      .customLong("max_new_tokens"),
    ], parsing: .unconditional,
    help: .init(
      "Most tokens to generate (default: until the model ends or the context is full).",
      valueName: "tokens"))
  var maxTokens: Int?

  @Option(
    parsing: .unconditionalSingleValue,
    help: .init("End the answer at this text; may be repeated.", valueName: "text"))
  var stop: [String] = []

  func validate() throws {
    if let maxTokens, maxTokens < 1 {
      throw ValidationError("--max-tokens is \(maxTokens), but must be at least 1.")
    }
    do {
      _ = try StopMatcher(stop)
    } catch {
      throw ValidationError("\(error)")
    }
  }
}
