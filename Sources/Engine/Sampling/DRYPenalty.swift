/// DRY ("don't repeat yourself"): penalises tokens that would go on with a sequence that the text has
/// already, the more the longer it is.
///
/// Where the last n tokens stand earlier in the text too, the token that followed them there loses
/// `multiplier` × `base` ^ (n − `allowedLength`), n being the longest such repetition and at least
/// `allowedLength`. Defined by p-e-w in text-generation-webui, pull request 5677 (2024); llama.cpp's
/// defaults.
///
/// A *breaker* is a text that ends sequences: of the last tokens only those count that come after the
/// token in which the last breaker ended, and a token that has a breaker in its own text is never
/// penalised. Unlike elsewhere a breaker is looked for in the text itself, however its characters are
/// distributed over tokens; and control tokens, which no plain text has, are breakers all: a chat's
/// format repeats itself by nature, and an answer must always be allowed to end.
public struct DRYPenalty: Sendable, Equatable {
  /// What all penalties are multiplied by: 0 is off, 0.8 is usual.
  public let multiplier: Float
  /// How much more each further repeated token costs. At least 1.
  public let base: Float
  /// How long a repetition is that costs `multiplier` to go on with; shorter ones are free. At least 1.
  public let allowedLength: Int
  /// How many of the last tokens are searched: 0 for none, −1 for all.
  public let lastCount: Int
  /// Texts that end sequences.
  public let breakers: [String]

  /// The breakers unless others are given: line break, colon, quote, asterisk.
  public static let usualBreakers = ["\n", ":", "\"", "*"]

  /// Nothing is penalised.
  public static let off = DRYPenalty()

  /// A penalty with every number checked; by default off.
  ///
  /// - Throws: `SamplingError.settingOutOfRange`, with the names of the command line's options.
  public init(
    multiplier: Float = 0, base: Float = 1.75, allowedLength: Int = 2, lastCount: Int = -1,
    breakers: [String] = usualBreakers
  ) throws(SamplingError) {
    try check("dry-multiplier", multiplier, "a finite number of at least 0 (0 is off)") {
      $0 >= 0 && $0.isFinite
    }
    try check("dry-base", base, "a finite number of at least 1") { $0 >= 1 && $0.isFinite }
    try check("dry-allowed-length", allowedLength, "at least 1") { $0 >= 1 }
    try check("dry-penalty-last-n", lastCount, "at least 0, or -1 for all tokens") { $0 >= -1 }
    for breaker in breakers where breaker.isEmpty {
      throw .settingOutOfRange(
        name: "dry-sequence-breaker", value: "empty", expected: "at least one character")
    }
    self.multiplier = multiplier
    self.base = base
    self.allowedLength = allowedLength
    self.lastCount = lastCount
    self.breakers = breakers
  }

  /// Whether any token can be penalised.
  public var isOn: Bool { multiplier > 0 && lastCount != 0 }

  /// The score of a token that would go on with a repetition of `length` tokens.
  func penalised(_ logit: Float, length: Int) -> Float {
    let penalty = Double(multiplier) * power(Double(base), length - allowedLength)
    return Float(saturating: Double(logit) - penalty)
  }

  private init() {
    multiplier = 0
    base = 1.75
    allowedLength = 2
    lastCount = -1
    breakers = Self.usualBreakers
  }
}

/// `base` to a whole power of at least 0, by repeated squaring: multiplications give the same bits on
/// every machine, the C library's `pow` does not.
func power(_ base: Double, _ exponent: Int) -> Double {
  var result = 1.0
  var factor = base
  var rest = exponent
  while rest > 0 {
    if rest & 1 == 1 { result *= factor }
    factor *= factor
    rest >>= 1
  }
  return result
}

extension Float {
  /// The nearest finite number.
  init(saturating value: Double) {
    let limit = Double(Float.greatestFiniteMagnitude)
    self = Float(Swift.max(-limit, Swift.min(limit, value)))
  }
}
