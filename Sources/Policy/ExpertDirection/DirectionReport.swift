import ExpertPrefetching
import Experts

/// What a run took by the cost model, what its decisions came to, and where the time went.
///
/// Counts are what the director decided; times are predictions, in a run of the engine too.
public struct DirectionReport: Equatable, Sendable {
  /// The figures of one phase of the run.
  public struct PhaseFigures: Equatable, Sendable {
    /// One duration for each step, in microseconds.
    public var stepMicroseconds: [Double] = []
    /// Tokens of all steps together.
    public var tokens = 0
    /// Times that the lanes were at work, in microseconds.
    public var cpuBusyMicroseconds = 0.0
    public var gpuBusyMicroseconds = 0.0
    public var linkBusyMicroseconds = 0.0
    /// Time before the layers' routing is known and outside them; part of the GPU's busy time.
    public var denseMicroseconds = 0.0
    /// Distinct activated experts, over all layers and steps.
    public var activated = 0
    /// Of these, resident when their layer started, and not because of a prefetch.
    public var hits = 0
    /// Resident because a prefetch brought them since their layer last ran.
    public var prefetched = 0
    /// Still on their way when their layer started: misses with a shorter copy.
    public var late = 0
    /// Activated experts that the CPU computed, and those of them that were resident.
    public var onCPU = 0
    public var stolen = 0
    /// The activated experts by who computed them and whence they came, in parts that add up.
    public var computed = ComputedExperts()
    /// Experts copied, by class.
    public var copiedOnDemand = 0
    public var copiedAhead = 0
    public var filled = 0
    public var linkBytes = 0
    /// Layers planned.
    public var plans = 0
    /// The sum of the plans' makespans, and of their proven lower bounds.
    public var makespanMicroseconds = 0.0
    public var boundMicroseconds = 0.0

    public init() {}
  }

  public var prefill = PhaseFigures()
  public var decode = PhaseFigures()
  /// What became of the copies ahead, in both phases; `nil` for a system that makes none.
  public var prefetch: PrefetchStatistics?

  public init() {}

  public subscript(phase: Phase) -> PhaseFigures {
    get { phase == .prefill ? prefill : decode }
    set { if phase == .prefill { prefill = newValue } else { decode = newValue } }
  }
}

extension DirectionReport.PhaseFigures {
  public var totalMicroseconds: Double { stepMicroseconds.reduce(0, +) }

  /// Milliseconds of a step; 0 without steps.
  public var meanMilliseconds: Double {
    stepMicroseconds.isEmpty ? 0 : totalMicroseconds / Double(stepMicroseconds.count) / 1000
  }

  /// The middle one of the steps' milliseconds; of an even number, the mean of the middle two.
  public var medianMilliseconds: Double {
    guard !stepMicroseconds.isEmpty else { return 0 }
    let sorted = stepMicroseconds.sorted()
    let upper = sorted.count / 2
    return (sorted[upper] + sorted[(sorted.count - 1) / 2]) / 2 / 1000
  }

  public var tokensPerSecond: Double {
    totalMicroseconds > 0 ? Double(tokens) / totalMicroseconds * 1e6 : 0
  }

  public var misses: Int { activated - hits - prefetched }
  public var hitRate: Double { activated > 0 ? Double(hits) / Double(activated) : 0 }

  /// The part of the phase's time that a lane was at work, 0 to 1.
  public func busyShare(of lane: Lane) -> Double {
    let total = totalMicroseconds
    guard total > 0 else { return 0 }
    switch lane {
    case .cpu: return cpuBusyMicroseconds / total
    case .gpu: return gpuBusyMicroseconds / total
    case .link: return linkBusyMicroseconds / total
    }
  }
}
