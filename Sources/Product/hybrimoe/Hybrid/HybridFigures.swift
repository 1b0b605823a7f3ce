import ExpertDirection
import Experts

/// What a hybrid engine has done so far: what its caches and copies were good for, and where the
/// time went.
struct HybridFigures: Equatable {
  /// Counts and times of one phase; times in microseconds by the device's clock.
  struct PhaseFigures: Equatable {
    var stepCount = 0
    var tokenCount = 0
    /// From the steps' first to their last operation.
    var microseconds = 0.0
    /// Distinct activated experts over all layers and steps. The next ones are some of them, and
    /// overlap: the CPU computes hits as well.
    var activated = 0
    /// Resident when their layer started, and not because of a prefetch.
    var hits = 0
    /// Resident because of a prefetch.
    var prefetched = 0
    /// Still on their way.
    var late = 0
    /// Computed by the CPU.
    var onCPU = 0
    /// All activated ones in parts that do not overlap.
    var computed = ComputedExperts()
    var copiedOnDemand = 0
    var copiedAhead = 0
    var filled = 0
    /// Measured times that the lanes were at work.
    var busyMicroseconds: [Lane: Double] = [:]
    /// MoE layers, and the sums of what their plans were to take, had to take at least, and took.
    var layerCount = 0
    var predictedMicroseconds = 0.0
    var boundMicroseconds = 0.0
    var measuredMicroseconds = 0.0

    static func - (left: PhaseFigures, right: PhaseFigures) -> PhaseFigures {
      var result = left
      let counts: [WritableKeyPath<PhaseFigures, Int>] = [
        \.stepCount, \.tokenCount, \.activated, \.hits, \.prefetched, \.late, \.onCPU,
        \.copiedOnDemand, \.copiedAhead, \.filled, \.layerCount,
      ]
      result.computed = left.computed - right.computed
      for count in counts { result[keyPath: count] -= right[keyPath: count] }
      let times: [WritableKeyPath<PhaseFigures, Double>] = [
        \.microseconds, \.predictedMicroseconds, \.boundMicroseconds, \.measuredMicroseconds,
      ]
      for time in times { result[keyPath: time] -= right[keyPath: time] }
      for lane in Lane.allCases {
        result.busyMicroseconds[lane] =
          (left.busyMicroseconds[lane] ?? 0) - (right.busyMicroseconds[lane] ?? 0)
      }
      return result
    }
  }

  /// What became of copies ahead, in both phases.
  struct Prefetches: Equatable {
    var issued = 0
    var useful = 0
    var late = 0
    var redundant = 0
    var cancelled = 0
    var byteCount = 0

    static func - (left: Prefetches, right: Prefetches) -> Prefetches {
      Prefetches(
        issued: left.issued - right.issued, useful: left.useful - right.useful,
        late: left.late - right.late, redundant: left.redundant - right.redundant,
        cancelled: left.cancelled - right.cancelled, byteCount: left.byteCount - right.byteCount)
    }
  }

  var prefill = PhaseFigures()
  var decode = PhaseFigures()
  /// Nil where nothing is copied ahead.
  var prefetches: Prefetches?
  /// Bytes over the link, and those of them that were moved for nothing.
  var linkByteCount = 0
  var wastedByteCount = 0
  /// Bytes that were really issued: the decided ones and the first residents, and what was issued
  /// again.
  var issuedByteCount = 0
  /// What is less than it should be, each in one line.
  var notes: [String] = []
  /// Whether times are those of a modelled machine.
  var isModelled = false

  subscript(phase: Phase) -> PhaseFigures {
    get { phase == .prefill ? prefill : decode }
    set { if phase == .prefill { prefill = newValue } else { decode = newValue } }
  }

  /// What was done since an earlier moment.
  func since(_ earlier: HybridFigures) -> HybridFigures {
    var result = self
    for phase in Phase.allCases { result[phase] = self[phase] - earlier[phase] }
    result.linkByteCount -= earlier.linkByteCount
    result.issuedByteCount -= earlier.issuedByteCount
    result.wastedByteCount -= earlier.wastedByteCount
    if let prefetches { result.prefetches = prefetches - (earlier.prefetches ?? Prefetches()) }
    return result
  }
}

extension HybridFigures.PhaseFigures {
  var hitRate: Double { share(hits) }
  var tokensPerSecond: Double {
    microseconds > 0 ? Double(tokenCount) * 1e6 / microseconds : 0
  }

  /// A count as a share of the activated experts.
  func share(_ count: Int) -> Double {
    activated > 0 ? Double(count) / Double(activated) : 0
  }

  func busyShare(of lane: Lane) -> Double {
    microseconds > 0 ? (busyMicroseconds[lane] ?? 0) / microseconds : 0
  }
}
