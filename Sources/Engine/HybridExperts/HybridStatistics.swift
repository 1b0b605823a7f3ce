import ExpertDirection
import ExpertPrefetching
import Experts

/// What a hybrid run has done so far: decisions, bytes, times.
public struct HybridStatistics: Sendable, Equatable {
  /// Figures of one phase.
  public struct Figures: Sendable, Equatable {
    public var steps = 0
    public var tokens = 0
    /// MoE layers served.
    public var layers = 0
    /// Distinct activated experts, over all layers and steps.
    public var activated = 0
    /// Of these: resident, resident thanks to a prefetch, on their way when their layer started.
    public var hits = 0
    public var prefetched = 0
    public var late = 0
    /// Computed by the CPU, and of these resident.
    public var onCPU = 0
    public var stolen = 0
    /// The activated experts by who computed them and whence they came, in parts that add up.
    public var computed = ComputedExperts()
    /// Experts copied, by class.
    public var copiedOnDemand = 0
    public var copiedAhead = 0
    public var filled = 0
    /// Times that the lanes were at work, in microseconds.
    public var measured = LaneTimes.Busy()
    public var predicted = LaneTimes.Busy()
    /// Sums of the layers' makespans, in microseconds, and of their proven lower bounds.
    public var measuredMakespan = 0.0
    public var predictedMakespan = 0.0
    public var boundMakespan = 0.0

    public init() {}

    /// 0 to 1; 0 where nothing was activated.
    public var hitRate: Double { activated > 0 ? Double(hits) / Double(activated) : 0 }
    /// Hits and prefetched ones, 0 to 1.
    public var readyRate: Double {
      activated > 0 ? Double(hits + prefetched) / Double(activated) : 0
    }
  }

  public var prefill = Figures()
  public var decode = Figures()
  /// Bytes over the link as decided, by class (on demand, prefetch, fill), and of these given up.
  public var linkBytes = [0, 0, 0]
  public var wastedBytes = [0, 0, 0]
  /// Bytes really issued on the link: those decided, by the sizes that really lie there, the first
  /// residents, and what had to be issued again after a slot was taken away.
  public var issuedBytes = 0
  /// What became of the copies ahead; nil for a system that makes none.
  public var prefetch: PrefetchCounts?
  /// Slots of device memory, and bytes of each.
  public var slotCount = 0
  public var slotBytes = 0
  /// Copies that waited for a slot, and residents or copies that lost theirs to a plan's copies.
  public var waitedForSlot = 0
  public var preempted = 0
  /// Host memory that is pinned, and bytes that had to take a detour.
  public var pinnedBytes = 0
  public var stagedBytes = 0
  public var pageableBytes = 0
  /// The middle one of the last layers' measured ÷ predicted makespans.
  public var medianMakespanRatio: Double?
  /// What is less than it should be, each in one line.
  public var notes: [String] = []

  public init() {}

  public subscript(phase: Phase) -> Figures {
    get { phase == .prefill ? prefill : decode }
    set { if phase == .prefill { prefill = newValue } else { decode = newValue } }
  }

  /// The director's counts and the lanes' times.
  init(_ report: DirectionReport, _ counts: TransferCounts, _ times: LaneTimes) {
    for phase in Phase.allCases {
      let decided = report[phase]
      var figures = Figures()
      figures.steps = decided.stepMicroseconds.count
      figures.tokens = decided.tokens
      figures.layers = decided.plans
      figures.activated = decided.activated
      figures.hits = decided.hits
      figures.prefetched = decided.prefetched
      figures.late = decided.late
      figures.onCPU = decided.onCPU
      figures.stolen = decided.stolen
      figures.computed = decided.computed
      figures.copiedOnDemand = decided.copiedOnDemand
      figures.copiedAhead = decided.copiedAhead
      figures.filled = decided.filled
      figures.measured = times.measuredBusy[phase] ?? LaneTimes.Busy()
      figures.predicted = times.predictedBusy[phase] ?? LaneTimes.Busy()
      figures.measuredMakespan = times.measuredMakespan[phase] ?? 0
      figures.predictedMakespan = decided.makespanMicroseconds
      figures.boundMakespan = decided.boundMicroseconds
      self[phase] = figures
    }
    linkBytes = counts.moved
    wastedBytes = counts.wasted
    prefetch = report.prefetch?.total
    medianMakespanRatio = times.medianRatio()
  }
}
