import Glibc

/// Where the time of steps goes, part by part.
///
/// A step is one stretch of time on the calling thread, cut by marks: what passed since the last mark
/// belongs to the part that the next mark names, and so do the bytes and operations that were counted
/// in between. So the parts add up to the whole step, and nothing is counted twice.
///
/// A mark costs about as much as reading the clock, some 25 ns; where there is no profile, a nil check.
/// Not for use by two threads at once.
public final class StepProfile {
  /// Parts of a step.
  public enum Part: Int, CaseIterable, Sendable {
    case norms
    case attentionProjections
    case attention
    case router
    case expertGateUp
    case expertDown
    case sharedExpert
    case denseFeedForward
    case combine
    case outputHead
    case packing
    case waiting
    case other

    /// The name that people read.
    public var name: String {
      switch self {
      case .norms: "norms, quantisation"
      case .attentionProjections: "attention projections"
      case .attention: "attention"
      case .router: "router"
      case .expertGateUp: "experts, gate and up"
      case .expertDown: "experts, down"
      case .sharedExpert: "shared expert"
      case .denseFeedForward: "dense feed-forward"
      case .combine: "combining, residuals"
      case .outputHead: "output head"
      case .packing: "packing"
      case .waiting: "waiting for threads"
      case .other: "other"
      }
    }
  }

  /// What a part took, all steps together.
  public struct Cost: Sendable, Equatable {
    public var nanoseconds: UInt64 = 0
    /// Bytes of weights and of cached keys and values that were read.
    public var byteCount = 0
    /// Multiplications and additions of products.
    public var operationCount = 0
  }

  private var costs = [Cost](repeating: Cost(), count: Part.allCases.count)
  private var lastNanoseconds: UInt64
  private var pendingByteCount = 0
  private var pendingOperationCount = 0

  public init() { lastNanoseconds = StepProfile.now() }

  public subscript(part: Part) -> Cost { costs[part.rawValue] }

  /// All parts together.
  public var total: Cost {
    costs.reduce(into: Cost()) {
      $0.nanoseconds += $1.nanoseconds
      $0.byteCount += $1.byteCount
      $0.operationCount += $1.operationCount
    }
  }

  /// Begins a step: what passed before belongs to no part.
  public func begin() {
    lastNanoseconds = StepProfile.now()
    pendingByteCount = 0
    pendingOperationCount = 0
  }

  /// Ends a part: what passed and was counted since the last mark belongs to it.
  public func mark(_ part: Part) {
    let now = StepProfile.now()
    costs[part.rawValue].nanoseconds += now - lastNanoseconds
    costs[part.rawValue].byteCount += pendingByteCount
    costs[part.rawValue].operationCount += pendingOperationCount
    lastNanoseconds = now
    pendingByteCount = 0
    pendingOperationCount = 0
  }

  /// Counts work of the part that the next mark ends.
  public func count(byteCount: Int, operationCount: Int) {
    pendingByteCount += byteCount
    pendingOperationCount += operationCount
  }

  /// Counts a product of some tokens with weights.
  func count(_ weights: WeightMatrix, tokenCount: Int) {
    count(
      byteCount: weights.readByteCount,
      operationCount: 2 * weights.rowCount * weights.columnCount * tokenCount)
  }

  /// Counts attention of `tokenCount` tokens at `position`, `position + 1`, ….
  /// - Parameter bytesPerPosition: of the cache, keys and values of all heads.
  func countAttention(
    _ shape: AttentionShape, tokenCount: Int, position: Int, bytesPerPosition: Int
  ) {
    let end = position + tokenCount
    let window = shape.window ?? end
    // Positions that the tokens see, all together: min(position + 1, window) each.
    let whole = max(0, min(end, window) - position)
    let seen = whole * position + whole * (whole + 1) / 2 + (tokenCount - whole) * window
    let firstSeen = max(0, position - window + 1)
    count(
      byteCount: (end - firstSeen) * bytesPerPosition,
      operationCount: 2 * shape.headCount * seen * (shape.keyLength + shape.valueLength))
  }

  /// Moves a share of the time since the last mark to another part: what threads spent waiting inside a
  /// region, for example.
  /// - Parameter nanoseconds: at most the time since the last mark counts.
  public func take(_ part: Part, nanoseconds: UInt64) {
    let moved = min(nanoseconds, StepProfile.now() - lastNanoseconds)
    costs[part.rawValue].nanoseconds += moved
    lastNanoseconds += moved
  }

  /// Nanoseconds of a clock that never goes back.
  static func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
