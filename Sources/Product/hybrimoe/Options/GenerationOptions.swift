import ArgumentParser
import GGUF
import Sampling

/// How an answer is generated.
struct GenerationOptions: ParsableArguments {
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
    parsing: .unconditional,
    help: .init(
      "0 always takes the likeliest token; 1 is the model's own distribution "
        + "(default: what the file says, else 0.8)."))
  var temperature: Float?

  @Option(
    parsing: .unconditional,
    help: .init(
      "Draw from this many likeliest tokens; 0 for all (default: what the file says, else 40).",
      valueName: "tokens"))
  var topK: Int?

  @Option(
    parsing: .unconditional,
    help: .init(
      "Draw from the likeliest tokens that have this probability together "
        + "(default: what the file says, else 0.95)."))
  var topP: Float?

  @Option(
    parsing: .unconditional,
    help: .init(
      "Draw from tokens at least this fraction as likely as the likeliest "
        + "(default: what the file says, else 0.05)."))
  var minP: Float?

  @Option(
    parsing: .unconditional,
    help: .init("Start of the random numbers (default: a new one each time; see --stats)."))
  var seed: UInt64?

  @Option(
    parsing: .unconditionalSingleValue,
    help: .init("End the answer at this text; may be repeated.", valueName: "text"))
  var stop: [String] = []

  @OptionGroup var later: LaterGenerationOptions

  func validate() throws {
    if let maxTokens, maxTokens < 1 {
      throw ValidationError("--max-tokens is \(maxTokens), but must be at least 1.")
    }
    do {
      _ = try settings(SamplingHints(), seed: 0)
      _ = try StopMatcher(stop)
    } catch {
      throw ValidationError("\(error)")
    }
  }

  /// The sampling settings: what was given, else what the model's file says, else ours. A seed is
  /// drawn where none was given.
  func settings(_ metadata: GGUFMetadata) throws -> SamplingSettings {
    // 53 bits, so that the seed survives every JSON reader when it is reported.
    try settings(
      SamplingHints(metadata), seed: seed ?? UInt64.random(in: 0..<(1 << 53)))
  }

  private func settings(_ hints: SamplingHints, seed: UInt64) throws -> SamplingSettings {
    try SamplingSettings(
      temperature: temperature ?? hints.temperature ?? 0.8, topK: topK ?? hints.topK ?? 40,
      topP: topP ?? hints.topP ?? 0.95, minP: minP ?? hints.minP ?? 0.05, seed: seed)
  }
}

/// Options of generation that are part of the command line but not yet of the sampler: refused, since
/// without them the text would be another one.
struct LaterGenerationOptions: ParsableArguments {
  @Option(parsing: .unconditional, help: .notInThisVersion) var typicalP: Float?
  @Option(parsing: .unconditional, help: .notInThisVersion) var repeatPenalty: Float?
  @Option(parsing: .unconditional, help: .notInThisVersion) var presencePenalty: Float?
  @Option(parsing: .unconditional, help: .notInThisVersion) var frequencyPenalty: Float?
  @Option(parsing: .unconditional, help: .notInThisVersion) var dryMultiplier: Float?
  @Option(parsing: .unconditional, help: .notInThisVersion) var dryBase: Float?
  @Option(parsing: .unconditional, help: .notInThisVersion) var dryAllowedLength: Int?
  @Option(parsing: .unconditional, help: .notInThisVersion) var dryPenaltyLastN: Int?
  @Option(parsing: .unconditionalSingleValue, help: .notInThisVersion) var drySequenceBreaker:
    [String] =
      []
  @Option(parsing: .unconditionalSingleValue, help: .notInThisVersion) var logitBias: [String] = []

  func validate() throws {
    let given = [
      ("--typical-p", typicalP != nil), ("--repeat-penalty", repeatPenalty != nil),
      ("--presence-penalty", presencePenalty != nil),
      ("--frequency-penalty", frequencyPenalty != nil), ("--dry-multiplier", dryMultiplier != nil),
      ("--dry-base", dryBase != nil), ("--dry-allowed-length", dryAllowedLength != nil),
      ("--dry-penalty-last-n", dryPenaltyLastN != nil),
      ("--dry-sequence-breaker", !drySequenceBreaker.isEmpty), ("--logit-bias", !logitBias.isEmpty),
    ].filter(\.1).map(\.0)
    guard given.isEmpty else {
      throw ValidationError(
        "\(given.joined(separator: ", ")): not in this version; leave it out, or sample with "
          + "--temperature, --top-k, --top-p and --min-p.")
    }
  }
}

extension ArgumentHelp {
  /// The help of an option whose feature this version lacks.
  static let notInThisVersion = ArgumentHelp("Not in this version.", visibility: .hidden)
}
