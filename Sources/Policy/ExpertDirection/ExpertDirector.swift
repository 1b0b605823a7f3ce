import ExpertCaching
import ExpertPrefetching
import ExpertScheduling
import Experts

/// Decides everything that a running system decides: who computes each activated expert, what the
/// link copies and when, who enters the cache and who leaves it.
///
/// Intuition: the engine and the simulator must never drift apart, so neither decides anything. Both
/// tell the director what happened (this layer's routing is known; this piece has arrived; the layer
/// is over), and perform what it answers: values, in order.
///
/// A layer goes so:
///
/// 1. `plan(_:at:)`: the routing is known. The answer is the layer's `LayerDirective`.
/// 2. The link works. With the `measured` clock the caller pulls `nextPiece(at:)` whenever the link
///    can take one, and says `pieceDone(at:)` when the oldest one is through; with the `modelled`
///    clock it calls `playPlan()`, and the cost model says what the link has carried by the plan's
///    end.
/// 3. `endLayer(at:)`: all experts of the plan are computed.
///
/// After the last layer of a step comes `endStep(at:)`. After each of these calls `actions` holds
/// what it did to the experts' places, in order, if `recordsActions` is set. Before the first step
/// the caller uploads `residents`.
///
/// Deterministic: neither randomness nor real time is in it. With the modelled clock the events alone
/// decide, so the replay of a recorded run gives the run's plans, hits and copies; with the measured
/// clock the times of pieces and layers do, too.
///
/// Limits: one step at a time, layers in order. Misuse (a piece that ends before it was issued, a
/// layer planned before the last one ended) is a programmer's error and stops the program; routing
/// that the model cannot have made is thrown.
public struct ExpertDirector: Sendable {
  /// Who says what time it is.
  public enum Clock: String, Sendable, CaseIterable {
    /// The cost model: every duration is a predicted one, the link's included.
    case modelled
    /// The caller, with the times of real lanes.
    case measured
  }

  public let system: SystemDescription
  public let clock: Clock
  /// What the decisions came to, and what the run takes by the cost model.
  public internal(set) var report = DirectionReport()
  /// What the lanes were to do, by the cost model; `nil` where nobody wants to look, because a long
  /// run has many spans.
  public internal(set) var timeline: Timeline?
  /// What the last call did, in order; empty unless `recordsActions`.
  public internal(set) var actions: [DirectedAction] = []
  /// Whether `actions` is kept.
  public var recordsActions = false
  /// Whether every plan is checked before it is given out.
  public var checksPlans = false

  // The costs.
  public internal(set) var lanes: any LaneCosts
  let layerCount: Int
  let expertCount: Int
  let activatedCount: Int
  var costs: [LayerCosts] = []
  private var costsTokens = -1

  // The policies.
  var scheduler: any LayerScheduler
  /// Takes the scheduler's place in a prefill that streams.
  var streaming = StreamingScheduler()
  var cache: ExpertCache
  var prefetch: PrefetchState?
  var queue: TransferQueue
  /// Experts that prefill streaming holds outside the cache, for the layer that comes next.
  var ring = StreamRing()

  // The clocks, in microseconds since the run's start.
  /// The time up to which everything has been decided.
  public internal(set) var now = 0.0
  /// Up to when the modelled link has been played.
  var linkClock = 0.0
  /// When each piece in flight was issued, oldest first (measured clock).
  var issueTimes: [Double] = []
  var lastPieceEnd = 0.0

  // The running step.
  var step = -1
  var phase = Phase.prefill
  var tokens = 0
  var context = 0
  var stepStart = 0.0
  var hasClosedStep = true
  /// The layer whose plan is being performed; −1 between layers.
  var runningLayer = -1
  var running = RunningPlan()
  /// Copies on demand that have arrived and wait for the end of a layer.
  var arrived: [ExpertID] = []

  // Memory that is reused from layer to layer.
  var loads: [Int]
  var worth: [Double]
  var activated: [Int] = []
  var activatedSet = ExpertSet()
  var plan = LayerPlan()
  var carried: [(CarriedPiece, TransferQueue.Completion)] = []

  /// - Parameters:
  ///   - popularity: how often each expert was used in earlier runs, [layers, experts]; decides what
  ///     the slots hold at first. Empty where nothing is known.
  ///   - pieceBytes: no piece of a copy is larger.
  /// - Throws: `DirectionError.description` where the description makes no sense for the model.
  public init(
    lanes: some LaneCosts, system: SystemDescription, popularity: [Double] = [],
    clock: Clock = .modelled, pieceBytes: Int = 1 << 20, recordsTimeline: Bool = false
  ) throws(DirectionError) {
    try system.validate(experts: lanes.expertCount)
    self.lanes = lanes
    self.system = system
    self.clock = clock
    layerCount = lanes.layerCount
    expertCount = lanes.expertCount
    activatedCount = lanes.activatedCount
    scheduler = system.scheduler.makeScheduler()
    loads = Array(repeating: 0, count: expertCount)
    worth = Array(repeating: 0, count: expertCount)
    queue = TransferQueue(largestPieceBytes: pieceBytes)
    if recordsTimeline { timeline = Timeline() }
    ring.capacity = system.ringSlots(lanes)
    cache = try system.makeCache(lanes, popularity: popularity)
    prefetch = PrefetchState(lanes, system)
  }

  /// Plans a layer whose routing has just become known, and begins the step where it is a new one
  /// (ending the one before).
  ///
  /// - Parameter time: now. The measured clock needs it. The modelled clock goes on by the cost model
  ///   where it is `nil`; else the dense part ends at that time, though not before the last plan: so a
  ///   replay can follow the times of a recorded run. Either always or never.
  /// - Throws: `DirectionError.event` for routing that the model cannot have made; nothing has
  ///   changed then. `.invalidPlan` where `checksPlans` finds a plan wrong.
  public mutating func plan(
    _ event: RoutingEvent, at time: Double? = nil
  ) throws(DirectionError) -> LayerDirective {
    precondition(runningLayer < 0, "a layer must end before the next one is planned")
    precondition(clock == .modelled || time != nil, "the measured clock needs the time")
    try check(event)
    actions.removeAll(keepingCapacity: true)
    if event.step != step {
      closeStep(at: time)
      beginStep(event, at: time)
    }
    passAttention(layer: event.layer, until: time)
    readLoads(event)
    return try decide(event)
  }

  /// Ends a layer: all experts of its plan are computed, and nothing reads their places any more once
  /// the launches that were made have run.
  ///
  /// - Parameter time: now; the modelled clock goes by its own.
  public mutating func endLayer(at time: Double? = nil) {
    precondition(runningLayer >= 0, "only a planned layer can end")
    precondition(clock == .modelled || time != nil, "the measured clock needs the time")
    actions.removeAll(keepingCapacity: true)
    if clock == .measured, let time { now = max(now, time) }
    finishLayer()
    runningLayer = -1
  }

  /// Ends a step: its output has been computed. The next event must be of a later step.
  ///
  /// Optional: the next step's first event ends the step before as well.
  /// - Parameter time: now; the modelled clock goes by its own, but needs it where `plan` gets it.
  public mutating func endStep(at time: Double? = nil) {
    precondition(runningLayer < 0, "a step ends after its last layer")
    actions.removeAll(keepingCapacity: true)
    closeStep(at: time)
  }

  /// Takes other costs from now on, for instance refreshed figures of the warm-up.
  ///
  /// A replay that shall decide alike must be told the same costs between the same events.
  public mutating func updateCosts(_ lanes: some LaneCosts) {
    precondition(
      lanes.layerCount == layerCount && lanes.expertCount == expertCount
        && lanes.activatedCount == activatedCount, "costs may change, the model may not")
    self.lanes = lanes
    costsTokens = -1
    if step >= 0 { refreshCosts() }
  }

  mutating func refreshCosts() {
    guard tokens != costsTokens else { return }
    costs = lanes.layerCosts(tokens: tokens)
    costsTokens = tokens
  }

  private mutating func readLoads(_ event: RoutingEvent) {
    for index in activated { loads[index] = 0 }
    activated.removeAll(keepingCapacity: true)
    activatedSet = ExpertSet()
    for index in event.ids {
      if loads[index] == 0 {
        activated.append(index)
        activatedSet.insert(index)
      }
      loads[index] += 1
    }
  }

  private func check(_ event: RoutingEvent) throws(DirectionError) {
    func wrong(_ text: String) -> DirectionError {
      .event(step: event.step, layer: event.layer, text)
    }
    guard (0..<layerCount).contains(event.layer) else {
      throw wrong("the model has \(layerCount) MoE layers")
    }
    guard event.step > step || event.step == step && !hasClosedStep else {
      throw wrong("steps must not go back, and step \(step) ran")
    }
    guard !event.ids.isEmpty, event.ids.count.isMultiple(of: activatedCount) else {
      throw wrong("its \(event.ids.count) experts are not \(activatedCount) for each token")
    }
    guard event.step != step || event.ids.count == tokens * activatedCount else {
      throw wrong("it has other tokens than the step's first layer")
    }
    for index in event.ids where !(0..<expertCount).contains(index) {
      throw wrong("expert \(index) is not one of the \(expertCount)")
    }
  }
}

/// What is kept of a plan while it is performed; times in microseconds after its start.
struct RunningPlan: Sendable {
  /// When the link has carried what was on its way.
  var linkFree = 0.0
  /// When the last copy of the plan ends, and when the CPU ends.
  var lastCopy = 0.0
  var cpuEnd = 0.0
  /// Whether the ring's experts of this layer have left.
  var hasLeftRing = false
  /// Those of the plan's copies whose places are kept until the layer's end.
  var mayStay = ExpertSet()
  /// Whether the cache decides only then who of them stays.
  var admitsAtEnd = false
}
