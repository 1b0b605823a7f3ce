/// How the next token is drawn from the model's scores.
///
/// The steps act in the order of llama.cpp's default chain: top-k, top-p, min-p, temperature, draw.
/// Temperature comes last, so that the set of candidates does not depend on it. A temperature of 0
/// skips all of them and takes the highest score (greedy), the lowest token number among equals.
public struct SamplingSettings: Sendable, Equatable {
  /// Divides the scores before the draw: 0 is greedy, 1 the model's own distribution. At least 0.
  public let temperature: Float
  /// How many of the highest scores may be drawn; 0 leaves all of them.
  public let topK: Int
  /// Keeps the fewest best tokens whose probabilities reach this sum; 1 leaves all. In (0, 1].
  public let topP: Float
  /// Keeps tokens at least this fraction as probable as the best one; 0 leaves all. In [0, 1].
  public let minP: Float
  /// Where the random numbers start: the same seed and scores give the same tokens.
  public private(set) var seed: UInt64

  /// Always the highest score.
  public static let greedy = SamplingSettings()

  /// Settings with every rule checked. The defaults are llama.cpp's.
  ///
  /// - Throws: `SamplingError.settingOutOfRange`, naming the setting and its range.
  public init(
    temperature: Float = 0.8, topK: Int = 40, topP: Float = 0.95, minP: Float = 0.05,
    seed: UInt64 = 0
  ) throws(SamplingError) {
    try Self.check("temperature", temperature, "a finite number of at least 0") {
      $0 >= 0 && $0.isFinite
    }
    try Self.check("top-k", topK, "at least 0 (0 leaves every token)") { $0 >= 0 }
    try Self.check("top-p", topP, "above 0 and at most 1 (1 leaves every token)") {
      $0 > 0 && $0 <= 1
    }
    try Self.check("min-p", minP, "from 0 to 1 (0 leaves every token)") { $0 >= 0 && $0 <= 1 }
    self.temperature = temperature
    self.topK = topK
    self.topP = topP
    self.minP = minP
    self.seed = seed
  }

  /// Whether the settings always take the highest score.
  public var isGreedy: Bool { temperature == 0 }

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
    seed = 0
  }

  private static func check<Value>(
    _ name: String, _ value: Value, _ expected: String, _ isAllowed: (Value) -> Bool
  ) throws(SamplingError) {
    guard isAllowed(value) else {
      throw .settingOutOfRange(name: name, value: "\(value)", expected: expected)
    }
  }
}
