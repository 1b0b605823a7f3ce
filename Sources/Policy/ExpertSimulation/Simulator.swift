import ExpertCaching
import ExpertPrefetching
import ExpertScheduling
import Experts

/// Plays a routing trace on a machine that is nothing but costs, with the very policies that the
/// engine runs.
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
  public let machine: SimulatedMachine
  public let system: SystemDescription
  public internal(set) var report = SimulationReport()
  /// What the lanes did; `nil` where nobody wants to look, because a long run has many spans.
  public internal(set) var timeline: Timeline?
  /// Whether every plan is checked before it is performed.
  public var checksPlans = false
  /// Sees every plan as it is performed.
  public var onPlan: ((PlannedLayer) throws -> Void)?

  // The policies.
  var scheduler: any LayerScheduler
  /// Takes the scheduler's place in a prefill that streams.
  var streaming = StreamingScheduler()
  var cache: ExpertCache
  var prefetch: PrefetchState?
  var queue = TransferQueue()
  /// Experts that prefill streaming holds outside the cache, for the layer that comes next.
  var ring = StreamRing()

  // The clocks, in microseconds since the run's start.
  var now = 0.0
  /// Up to when the queue has been played.
  var linkClock = 0.0

  // The running step.
  var step = -1
  var phase = Phase.prefill
  var tokens = 0
  var context = 0
  var stepStart = 0.0
  var costs: [LayerCosts] = []
  private var costsTokens = -1
  /// The layer whose plan is being performed; −1 between layers.
  var runningLayer = -1

  // Memory that is reused from layer to layer.
  var loads: [Int]
  private var worth: [Double]
  var activated: [Int] = []
  var activatedSet = ExpertSet()
  var plan = LayerPlan()
  var pieces: [PlayedPiece] = []

  /// - Parameter popularity: how often each expert was used in earlier runs, [layers, experts];
  ///   decides what the slots hold at first. Empty where nothing is known.
  /// - Throws: `SimulationError` where the description makes no sense for the model.
  public init(
    machine: SimulatedMachine, system: SystemDescription, popularity: [Double] = [],
    recordsTimeline: Bool = false
  ) throws(SimulationError) {
    try system.validate(experts: machine.expertCount)
    self.machine = machine
    self.system = system
    scheduler = system.scheduler.makeScheduler()
    loads = Array(repeating: 0, count: machine.expertCount)
    worth = Array(repeating: 0, count: machine.expertCount)
    if recordsTimeline { timeline = Timeline() }
    ring.capacity = system.ringSlots(machine)
    let slots = system.slotsByLayer(machine)
    cache = try Self.makeCache(machine, system, slots: slots, popularity: popularity)
    prefetch = PrefetchState(machine, system)
  }

  /// Plays the next event; events come in the order of the trace.
  ///
  /// - Throws: `SimulationError` for an event that the model cannot have made, or an invalid plan;
  ///   whatever `onPlan` throws.
  public mutating func play(_ event: RoutingEvent) throws {
    try check(event)
    if event.step != step {
      endStep()
      beginStep(event)
    }
    let attention = machine.attentionMicroseconds(
      layer: event.layer, tokens: tokens, context: context)
    computeDense(attention, layer: event.layer)
    readLoads(event)
    try runLayer(event)
  }

  /// Ends the last step and gives the report.
  public mutating func finish() -> SimulationReport {
    endStep()
    step = -1
    report.prefetch = prefetch?.ledger.statistics
    return report
  }

  private mutating func beginStep(_ event: RoutingEvent) {
    step = event.step
    phase = event.phase
    tokens = event.ids.count / machine.activatedCount
    context += tokens
    stepStart = now
    if tokens != costsTokens {
      costs = machine.layerCosts(tokens: tokens)
      costsTokens = tokens
    }
    computeDense(machine.denseLayersMicroseconds(tokens: tokens, context: context), layer: nil)
  }

  private mutating func endStep() {
    guard step >= 0 else { return }
    computeDense(machine.outputMicroseconds, layer: nil)
    report[phase].stepMicroseconds.append(now - stepStart)
    report[phase].tokens += tokens
    ring.empty()
  }

  // Dense work on the GPU, while the link goes on.
  private mutating func computeDense(_ duration: Double, layer: Int?) {
    guard duration > 0 else { return }
    timeline?.append(
      .init(
        .dense, on: .gpu, start: now, end: now + duration, step: step, phase: phase, layer: layer))
    now += duration
    report[phase].gpuBusyMicroseconds += duration
    report[phase].denseMicroseconds += duration
    playLink(until: now, cpuBusyUntil: 0)
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

  // Misses of equal load are all the same to a plan, and it copies the last of them first; but a
  // copied one may stay. So the one that is most likely to be needed again comes last.
  mutating func sortByWorth(_ layer: Int) {
    guard system.scheduler == .hybrimoe, system.eviction != nil, phase == .decode else { return }
    let learned = cache.activationProbabilities(ofLayer: layer)
    for index in activated { worth[index] = learned[index] }
    activated.sort { (worth[$0], $1) < (worth[$1], $0) }
  }

  private func check(_ event: RoutingEvent) throws(SimulationError) {
    func wrong(_ text: String) -> SimulationError {
      .event(step: event.step, layer: event.layer, text)
    }
    guard (0..<machine.layerCount).contains(event.layer) else {
      throw wrong("the model has \(machine.layerCount) MoE layers")
    }
    guard event.step >= step else { throw wrong("steps must not go back, and step \(step) ran") }
    let activated = machine.activatedCount
    guard !event.ids.isEmpty, event.ids.count.isMultiple(of: activated) else {
      throw wrong("its \(event.ids.count) experts are not \(activated) for each token")
    }
    guard event.step != step || event.ids.count == tokens * activated else {
      throw wrong("it has other tokens than the step's first layer")
    }
    for index in event.ids where !(0..<machine.expertCount).contains(index) {
      throw wrong("expert \(index) is not one of the \(machine.expertCount)")
    }
  }
}

/// A layer as it was planned, for whoever looks on.
public struct PlannedLayer {
  public var step: Int
  public var layer: Int
  /// Microseconds since the run's start when the layer's routing was known; the plan's times count
  /// from there.
  public var start: Double
  public var layerCase: LayerCase
  public var plan: LayerPlan
}

/// A piece that the link has carried in the background.
struct PlayedPiece {
  var piece: TransferQueue.Piece
  var start: Double
  var end: Double
  var completion: TransferQueue.Completion
}
