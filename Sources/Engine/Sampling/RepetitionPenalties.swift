/// Penalties for tokens that the last tokens have already, of the prompt and of the answer alike.
///
/// The score of a token that stands `count` times among the last `lastCount` tokens is first divided by
/// `repeat` (multiplied where it is not above 0), then lowered by `frequency` × `count` + `presence`.
/// The first is from Keskar and others, "CTRL" (2019), with the multiplication that llama.cpp added,
/// since dividing a negative score would make the token likelier; the others are the OpenAI API's.
public struct RepetitionPenalties: Sendable, Equatable {
  /// What scores are divided by: 1 changes nothing, more discourages repetition. Above 0.
  public let `repeat`: Float
  /// What a token's being there costs: 0 changes nothing.
  public let presence: Float
  /// What each time costs that a token is there: 0 changes nothing.
  public let frequency: Float
  /// How many of the last tokens count: 0 for none, −1 for all.
  public let lastCount: Int

  /// Nothing is penalised.
  public static let off = RepetitionPenalties()

  /// Penalties with every number checked; by default none.
  ///
  /// - Throws: `SamplingError.settingOutOfRange`, with the names of the command line's options.
  public init(
    repeat: Float = 1, presence: Float = 0, frequency: Float = 0, lastCount: Int = 64
  ) throws(SamplingError) {
    try check("repeat-penalty", `repeat`, "a finite number above 0 (1 penalises nothing)") {
      $0 > 0 && $0.isFinite
    }
    try check("presence-penalty", presence, "a finite number (0 penalises nothing)") { $0.isFinite }
    try check("frequency-penalty", frequency, "a finite number (0 penalises nothing)") {
      $0.isFinite
    }
    try check("repeat-last-n", lastCount, "at least 0, or -1 for all tokens") { $0 >= -1 }
    self.repeat = `repeat`
    self.presence = presence
    self.frequency = frequency
    self.lastCount = lastCount
  }

  /// Whether any token can be penalised.
  public var isOn: Bool {
    lastCount != 0 && (self.repeat != 1 || presence != 0 || frequency != 0)
  }

  /// The score of a token that is there `count` times.
  func penalised(_ logit: Float, count: Int) -> Float {
    let logit = Double(logit)
    let divided = logit > 0 ? logit / Double(self.repeat) : logit * Double(self.repeat)
    return Float(saturating: divided - (Double(frequency) * Double(count) + Double(presence)))
  }

  private init() {
    self.repeat = 1
    presence = 0
    frequency = 0
    lastCount = 64
  }
}
