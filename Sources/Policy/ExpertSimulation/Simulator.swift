import ExpertCaching
import ExpertDirection
import ExpertScheduling
import Experts

/// Plays a routing trace on a machine that is nothing but costs, with the very policies that the
/// engine runs.
///
/// All decisions are an `ExpertDirector`'s, the same that directs the engine; the simulator only tells
/// it that its plans have been performed, by a clock that is the cost model's.
///
/// Three lanes have clocks that run through the whole trace: CPU, GPU and link. For each MoE layer the
/// dense part runs on the GPU; then the routing is known, the layer becomes a case for the scheduler
/// (loads, residents, copies on their way, lanes still busy), and the plan is performed to the
/// letter. Whenever no plan needs it, the link carries prefetches and fills in pieces, so that a plan
/// waits for two pieces at most. Copies take effect when their last byte has arrived, and what the
/// cache does with them is the cache's decision.
///
/// Deterministic: there is neither randomness nor real time in it, so the same events and the same
/// description give the same report, bit for bit.
///
/// Limits: one sequence at a time; the time for deciding is not counted; copies on demand go through
/// two staging slots that every system has beside its cache (a ring for streaming is taken from it).
public struct Simulator {
  /// Decides everything; its clock is the modelled one.
  public private(set) var director: ExpertDirector
  /// Sees every layer as it was planned, before its plan is performed.
  public var onPlan: ((LayerDirective) throws -> Void)?
  /// Whether layers start at the times that the events tell (`RoutingEvent.microseconds`), where they
  /// tell any: a recorded run is then followed by its own clock.
  public var followsRecordedTimes = false

  /// - Parameters:
  ///   - machine: what everything costs: a machine profile's view of a model, or measured figures.
  ///   - popularity: how often each expert was used in earlier runs, [layers, experts]; decides what
  ///     the slots hold at first. Empty where nothing is known.
  ///   - pieceBytes: no piece of a copy is larger.
  /// - Throws: `SimulationError` where the description makes no sense for the model.
  public init(
    machine: some LaneCosts, system: SystemDescription, popularity: [Double] = [],
    pieceBytes: Int = 1 << 20, recordsTimeline: Bool = false
  ) throws(SimulationError) {
    do {
      director = try ExpertDirector(
        lanes: machine, system: system, popularity: popularity, pieceBytes: pieceBytes,
        recordsTimeline: recordsTimeline)
    } catch { throw SimulationError(error) }
  }

  public var system: SystemDescription { director.system }

  /// Whether every plan is checked before it is performed.
  public var checksPlans: Bool {
    get { director.checksPlans }
    set { director.checksPlans = newValue }
  }

  public var report: DirectionReport { director.report }

  /// What the lanes did; `nil` where nobody wants to look, because a long run has many spans.
  public var timeline: Timeline? { director.timeline }

  /// Plays the next event; events come in the order of the trace.
  ///
  /// - Throws: `SimulationError` for an event that the model cannot have made, or an invalid plan;
  ///   whatever `onPlan` throws.
  public mutating func play(_ event: RoutingEvent) throws {
    let time = followsRecordedTimes ? event.microseconds : nil
    let directive: LayerDirective
    do { directive = try director.plan(event, at: time) } catch { throw SimulationError(error) }
    try onPlan?(directive)
    director.playPlan()
    director.endLayer()
  }

  /// Ends the last step and gives the report.
  public mutating func finish() -> DirectionReport {
    director.endStep()
    return director.currentReport
  }
}
