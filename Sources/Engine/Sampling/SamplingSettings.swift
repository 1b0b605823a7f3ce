/// How the next token is drawn from the model's scores.
///
/// First the biases are added, then the steps act in `order`, then one of the candidates that are
/// left is drawn by its probability. A temperature of 0 takes the highest score instead (greedy), the
/// lowest token number among equals: biases and penalties have their say, what leaves candidates
/// out has none. A step that `order` does not name is off, temperature 1 then included.
public struct SamplingSettings: Sendable, Equatable {
  /// Divides the scores before the draw: 0 is greedy, 1 the model's own distribution. At least 0.
  public let temperature: Float
  /// How many of the highest scores may be drawn; 0 leaves all of them.
  public let topK: Int
  /// Keeps the fewest best tokens whose probabilities reach this sum; 1 leaves all. In (0, 1].
  public let topP: Float
  /// Keeps tokens at least this fraction as probable as the best one; 0 leaves all. In [0, 1].
  public let minP: Float
  /// Keeps the tokens nearest to the expected surprise whose probabilities reach this sum; 1 leaves
  /// all. In (0, 1].
  public let typicalP: Float
  /// Keeps scores within this many standard deviations of the best; 0 leaves all. At least 0.
  public let topNSigma: Float
  public let xtc: ExcludedTopChoices
  public let penalties: RepetitionPenalties
  public let dry: DRYPenalty
  /// What is added to the scores of tokens, by token number; −∞ forbids a token.
  public let logitBias: [Int: Float]
  /// The steps in the order in which they act, each at most once.
  public let order: [SamplingStep]
  /// Where the random numbers start: the same seed and scores give the same tokens.
  public private(set) var seed: UInt64

  /// Always the highest score.
  public static let greedy = SamplingSettings()

  /// Settings with every rule checked. The defaults are llama.cpp's.
  ///
  /// - Throws: `SamplingError.settingOutOfRange`, with the name of the command line's option;
  ///   `stepNamedTwice`.
  public init(
    temperature: Float = 0.8, topK: Int = 40, topP: Float = 0.95, minP: Float = 0.05,
    typicalP: Float = 1, topNSigma: Float = 0, xtc: ExcludedTopChoices = .off,
    penalties: RepetitionPenalties = .off, dry: DRYPenalty = .off, logitBias: [Int: Float] = [:],
    order: [SamplingStep] = SamplingStep.standardOrder, seed: UInt64 = 0
  ) throws(SamplingError) {
    try check("temperature", temperature, "a finite number of at least 0") {
      $0 >= 0 && $0.isFinite
    }
    try check("top-k", topK, "at least 0 (0 leaves every token)") { $0 >= 0 }
    try check("top-p", topP, "above 0 and at most 1 (1 leaves every token)") { $0 > 0 && $0 <= 1 }
    try check("min-p", minP, "from 0 to 1 (0 leaves every token)") { $0 >= 0 && $0 <= 1 }
    try check("typical-p", typicalP, "above 0 and at most 1 (1 leaves every token)") {
      $0 > 0 && $0 <= 1
    }
    try check("top-n-sigma", topNSigma, "a finite number of at least 0 (0 leaves every token)") {
      $0 >= 0 && $0.isFinite
    }
    for (token, bias) in logitBias.sorted(by: { $0.key < $1.key }) {
      try check("logit-bias of token \(token)", bias, "a finite number or -inf") {
        $0 < .infinity
      }
    }
    try SamplingStep.check(order)
    self.temperature = temperature
    self.topK = topK
    self.topP = topP
    self.minP = minP
    self.typicalP = typicalP
    self.topNSigma = topNSigma
    self.xtc = xtc
    self.penalties = penalties
    self.dry = dry
    self.logitBias = logitBias
    self.order = order
    self.seed = seed
  }

  /// Whether the settings always take the highest score.
  public var isGreedy: Bool { temperature == 0 && order.contains(.temperature) }

  /// The steps of `order` that do something.
  public var activeSteps: [SamplingStep] { order.filter(isActive) }

  private func isActive(_ step: SamplingStep) -> Bool {
    switch step {
    case .penalties: penalties.isOn
    case .dry: dry.isOn
    case .topNSigma: topNSigma > 0
    case .topK: topK > 0
    case .typicalP: typicalP < 1
    case .topP: topP < 1
    case .minP: minP > 0
    case .xtc: xtc.isOn
    case .temperature: temperature != 1
    }
  }

  /// Checks that all biases are for tokens of a model.
  ///
  /// - Throws: `SamplingError.biasOutsideVocabulary`, with the lowest number.
  public func checkBiases(vocabularySize: Int) throws(SamplingError) {
    let outside = logitBias.keys.filter { !(0..<vocabularySize).contains($0) }
    guard let tokenID = outside.min() else { return }
    throw .biasOutsideVocabulary(tokenID: tokenID, vocabularySize: vocabularySize)
  }

  /// The same settings with other random numbers.
  public func with(seed: UInt64) -> SamplingSettings {
    var copy = self
    copy.seed = seed
    return copy
  }

  private init() {
    temperature = 0
    topK = 0
    topP = 1
    minP = 0
    typicalP = 1
    topNSigma = 0
    xtc = .off
    penalties = .off
    dry = .off
    logitBias = [:]
    order = SamplingStep.standardOrder
    seed = 0
  }
}

/// XTC: now and then leaves out the likeliest tokens, so that a less worn one is drawn.
public struct ExcludedTopChoices: Sendable, Equatable {
  /// How often, as a fraction of all tokens; 0 is off. In [0, 1].
  public let probability: Float
  /// Of the tokens at least this probable all but the least probable one are left out. In (0, 1].
  public let threshold: Float

  /// Nothing is left out.
  public static let off = ExcludedTopChoices()

  /// Checked numbers; by default off.
  ///
  /// - Throws: `SamplingError.settingOutOfRange`, with the names of the command line's options.
  public init(probability: Float = 0, threshold: Float = 0.1) throws(SamplingError) {
    try check("xtc-probability", probability, "from 0 to 1 (0 is off)") { $0 >= 0 && $0 <= 1 }
    try check("xtc-threshold", threshold, "above 0 and at most 1") { $0 > 0 && $0 <= 1 }
    self.probability = probability
    self.threshold = threshold
  }

  /// Whether any token can be left out: two tokens cannot both be likelier than half.
  public var isOn: Bool { probability > 0 && threshold <= 0.5 }

  private init() {
    probability = 0
    threshold = 0.1
  }
}

/// - Throws: `SamplingError.settingOutOfRange` where a value is not allowed.
func check<Value>(
  _ name: String, _ value: Value, _ expected: String, _ isAllowed: (Value) -> Bool
) throws(SamplingError) {
  guard isAllowed(value) else {
    throw .settingOutOfRange(name: name, value: "\(value)", expected: expected)
  }
}
