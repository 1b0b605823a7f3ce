// A machine's costs are measured, not assumed: the engine times a few experts on each lane and fits
// the cost model's parameters. Errors are relative (a launch of 5 µs matters as much as a copy of
// 5 ms), parameters are never negative, and the fit says how well it describes what was measured.

/// One measurement on one lane.
public struct CostPoint: Equatable, Sendable {
  /// Experts that were computed one after another in one go (one launch), or copied; at least 1.
  public var experts: Int
  /// Of one expert: what the CPU reads, or what is copied and the GPU reads.
  public var bytes: Double
  /// Weights of one expert.
  public var parameters: Double
  /// Tokens of each expert; ignored for copies.
  public var tokens: Int
  /// The whole measurement.
  public var microseconds: Double
  /// For copies: whether the CPU read weights meanwhile.
  public var cpuIsReading: Bool

  public init(
    experts: Int = 1, bytes: Double, parameters: Double, tokens: Int = 1, microseconds: Double,
    cpuIsReading: Bool = false
  ) {
    self.experts = experts
    self.bytes = bytes
    self.parameters = parameters
    self.tokens = tokens
    self.microseconds = microseconds
    self.cpuIsReading = cpuIsReading
  }
}

/// A part of a cost model with how well it describes the points it was fitted to.
public struct CostFit<Part: Equatable & Sendable>: Equatable, Sendable {
  public var part: Part
  /// Of |fitted − measured| ÷ measured over all points.
  public var maximumRelativeError: Double
  /// The root of the mean of its square.
  public var rootMeanSquareRelativeError: Double
  /// Parameters that the points show nothing of: a fixed time that came out as 0, or a rate so high
  /// that its time disappears behind the others; such a rate is `CostModel.unmeasurablyFast`.
  public var invisible: [String]
}

/// Why costs cannot be fitted.
public enum CostFitError: Error, Equatable, Sendable, CustomStringConvertible {
  case invalidPoint(index: Int, reason: String)
  case tooFewPoints(found: Int, needed: Int)
  /// The points leave parameters open, whatever their number.
  case undetermined(advice: String)

  public var description: String {
    switch self {
    case .invalidPoint(let index, let reason): "measured point \(index): \(reason)"
    case .tooFewPoints(let found, let needed):
      "\(found) measured points do not determine the costs; measure at least \(needed)"
    case .undetermined(let advice):
      "the measured points do not tell the costs apart; \(advice)"
    }
  }
}

extension CostModel {
  /// Bytes, or parameters times tokens, in a microsecond: stands for a rate whose time could not be
  /// seen. A terabyte in a microsecond is beyond any machine, and JSON can write it, unlike
  /// infinity.
  public static let unmeasurablyFast = 1e12
}
