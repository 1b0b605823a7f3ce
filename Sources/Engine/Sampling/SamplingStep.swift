/// A step of the chain from scores to a token. Its name is its raw value.
public enum SamplingStep: String, CaseIterable, Sendable {
  /// The repeat, presence and frequency penalties, all three.
  case penalties
  /// Penalises what would repeat a sequence.
  case dry
  case topNSigma = "top-n-sigma"
  case topK = "top-k"
  case typicalP = "typical-p"
  case topP = "top-p"
  case minP = "min-p"
  /// Leaves out the likeliest tokens, now and then.
  case xtc
  case temperature

  /// The order in which the steps act unless another is asked for: that of llama.cpp.
  ///
  /// Scores are changed before anything is left out, and temperature comes last, so that what may be
  /// drawn does not depend on it.
  public static let standardOrder = allCases

  /// Whether the step changes the scores of tokens, and not which of them are left.
  var changesScores: Bool { self == .penalties || self == .dry }

  /// The order that a text names, as in `penalties;top-k;temperature`. Commas separate names as well,
  /// and an underscore stands for a dash.
  ///
  /// - Throws: `SamplingError.unknownStep`, `stepNamedTwice`.
  public static func order(_ text: String) throws(SamplingError) -> [SamplingStep] {
    var order: [SamplingStep] = []
    for part in text.split(omittingEmptySubsequences: false, whereSeparator: { ";,".contains($0) })
    {
      let name = String(part.filter { !$0.isWhitespace }.map { $0 == "_" ? "-" : $0 }).lowercased()
      guard let step = SamplingStep(rawValue: name) else { throw .unknownStep(String(part)) }
      order.append(step)
    }
    try check(order)
    return order
  }

  /// - Throws: `SamplingError.stepNamedTwice`.
  static func check(_ order: [SamplingStep]) throws(SamplingError) {
    for (index, step) in order.enumerated() where order[..<index].contains(step) {
      throw .stepNamedTwice(step)
    }
  }
}
