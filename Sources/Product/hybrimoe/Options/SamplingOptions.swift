import ArgumentParser
import Sampling

/// How tokens are drawn: what leaves some out, their scores' biases, the order of it all.
struct SamplingOptions: ParsableArguments {
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
    help: .init(
      "Draw from the tokens nearest to the expected surprise that have this probability together.",
      valueName: "share"))
  var typicalP: Float?

  @Option(
    parsing: .unconditional,
    help: .init(
      "Draw from scores within this many standard deviations of the best.",
      valueName: "deviations"))
  var topNSigma: Float?

  @Option(
    parsing: .unconditional,
    help: .init("How often the likeliest tokens are left out, 0 to 1.", valueName: "share"))
  var xtcProbability: Float?

  @Option(
    parsing: .unconditional,
    help: .init(
      "The probability from which a token counts as one of those (default: 0.1).",
      valueName: "share"))
  var xtcThreshold: Float?

  @Option(
    parsing: .unconditionalSingleValue,
    help: .init(
      "Add to a token's score, -inf to forbid it; may be repeated.", valueName: "id=number"),
    transform: LogitBias.init)
  var logitBias: [LogitBias] = []

  @Option(
    parsing: .unconditional,
    help: .init(
      "The samplers in their order; one left out is off (default: what the file says, else "
        + "\(SamplingStep.standardOrder.map(\.rawValue).joined(separator: ";"))).",
      valueName: "names"),
    transform: { try SamplingStep.order($0) })
  var samplers: [SamplingStep]?

  @Option(
    parsing: .unconditional,
    help: .init("Start of the random numbers (default: a new one each time; see --stats)."))
  var seed: UInt64?

  func xtc(_ hints: SamplingHints) throws -> ExcludedTopChoices {
    try ExcludedTopChoices(
      probability: xtcProbability ?? hints.xtcProbability ?? 0,
      threshold: xtcThreshold ?? hints.xtcThreshold ?? 0.1)
  }

  func biases() throws -> [Int: Float] {
    try Dictionary(logitBias.map { ($0.token, $0.bias) }) { _, _ in
      let repeated = Dictionary(grouping: logitBias, by: \.token).filter { $0.value.count > 1 }
      throw ValidationError(
        "--logit-bias is given twice for token \(repeated.keys.min() ?? 0); leave one of them out.")
    }
  }

  /// The steps that these options ask for.
  var askedSteps: [SamplingStep] {
    let given: [(SamplingStep, Bool)] = [
      (.temperature, temperature != nil), (.topK, topK != nil), (.topP, topP != nil),
      (.minP, minP != nil), (.typicalP, typicalP != nil), (.topNSigma, topNSigma != nil),
      (.xtc, xtcProbability != nil),
    ]
    return given.filter(\.1).map(\.0)
  }
}

/// What is added to the score of one token.
struct LogitBias: Equatable, Sendable {
  var token: Int
  /// −∞ forbids the token.
  var bias: Float

  /// Reads `5=-1.5` or `5=-inf`.
  init(_ text: String) throws {
    let parts = text.split(separator: "=", omittingEmptySubsequences: false)
    guard parts.count == 2, let token = Int(parts[0]), token >= 0, let number = Double(parts[1])
    else {
      throw ValidationError(
        "A bias is a token's number, '=' and what is added to its score, as in 29=-1.5 or 29=-inf.")
    }
    // A number too large for a score must not become the infinity that forbids.
    guard number == -.infinity || Float(number).isFinite else {
      throw ValidationError("What is added to a score is a finite number or -inf.")
    }
    self.token = token
    bias = Float(number)
  }
}
