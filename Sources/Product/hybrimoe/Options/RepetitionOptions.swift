import ArgumentParser
import Sampling

/// What keeps an answer from repeating itself; all off by default.
struct RepetitionOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: .init("Divide the scores of tokens that are there already by this.", valueName: "factor"))
  var repeatPenalty: Float?

  @Option(
    parsing: .unconditional,
    help: .init("Lower the scores of tokens that are there already by this.", valueName: "number"))
  var presencePenalty: Float?

  @Option(
    parsing: .unconditional,
    help: .init(
      "Lower the scores of tokens by this for each time that they are there.",
      valueName: "number"))
  var frequencyPenalty: Float?

  @Option(
    parsing: .unconditional,
    help: .init(
      "How many of the last tokens these three look at, the prompt's among them; -1 for all "
        + "(default: 64).", valueName: "tokens"))
  var repeatLastN: Int?

  @Option(
    parsing: .unconditional,
    help: .init(
      "Penalise going on with a repeated sequence; 0.8 is usual.", valueName: "factor"))
  var dryMultiplier: Float?

  @Option(
    parsing: .unconditional,
    help: .init(
      "How much more each further repeated token costs (default: 1.75).", valueName: "factor"))
  var dryBase: Float?

  @Option(
    parsing: .unconditional,
    help: .init("Repeated tokens from which it costs (default: 2).", valueName: "tokens"))
  var dryAllowedLength: Int?

  @Option(
    parsing: .unconditional,
    help: .init(
      "How many of the last tokens are searched; -1 for all (default: -1).", valueName: "tokens"))
  var dryPenaltyLastN: Int?

  @Option(
    parsing: .unconditionalSingleValue,
    help: .init(
      "Text that ends sequences; may be repeated, 'none' for no such text "
        + "(default: line break, colon, quote, asterisk).", valueName: "text"))
  var drySequenceBreaker: [String] = []

  func penalties(_ hints: SamplingHints) throws -> RepetitionPenalties {
    try RepetitionPenalties(
      repeat: repeatPenalty ?? hints.repeatPenalty ?? 1, presence: presencePenalty ?? 0,
      frequency: frequencyPenalty ?? 0, lastCount: repeatLastN ?? hints.repeatLastN ?? 64)
  }

  func dry() throws -> DRYPenalty {
    try DRYPenalty(
      multiplier: dryMultiplier ?? 0, base: dryBase ?? 1.75, allowedLength: dryAllowedLength ?? 2,
      lastCount: dryPenaltyLastN ?? -1, breakers: breakers())
  }

  private func breakers() throws -> [String] {
    guard drySequenceBreaker.contains("none") else {
      return drySequenceBreaker.isEmpty ? DRYPenalty.usualBreakers : drySequenceBreaker
    }
    guard drySequenceBreaker == ["none"] else {
      throw ValidationError(
        "--dry-sequence-breaker is 'none' and something else; leave one of them out.")
    }
    return []
  }

  /// The steps that these options ask for.
  var askedSteps: [SamplingStep] {
    let isPenalty =
      repeatPenalty != nil || presencePenalty != nil || frequencyPenalty != nil
      || repeatLastN != nil
    return (isPenalty ? [.penalties] : []) + (dryMultiplier != nil ? [.dry] : [])
  }
}
