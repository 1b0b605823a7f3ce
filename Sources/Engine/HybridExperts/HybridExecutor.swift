import CPUCompute
import Devices
import ExpertDirection
import Experts
import Models

/// Shares each MoE layer's experts out between CPU, GPU and link as the director decides, for a step
/// whose dense part has been submitted to the device ahead.
///
/// A layer, in the order of the calls:
///
/// 1. Wait for the routing, read it, ask the director.
/// 2. Submit to the GPU lane: the residents in one launch for each half; then for each copy, in the
///    order of the link: wait for its slot's arrival, launch, mark the slot as read. Then `gpuDone`.
/// 3. Issue the copies, compute the CPU's experts, write `cpuDone`.
/// 4. Tell the director that the layer is over; do what it says.
///
/// Nothing can wait for ever. Number the launches of the run L1, L2, … in the order of submission and
/// the uploads U1, U2, … in the order of issue; each lane works in its order. A launch waits for the
/// upload of the slot it reads. An upload waits for the last launch that read its slot before, which was
/// submitted before the slot was handed out. A layer's copies are issued in the order of their launches
/// and before all other copies of the layer's time; so an upload's launch waits at most for uploads that
/// were issued earlier, and the first of all that wait has nothing to wait for.
public final class HybridExecutor: LayerServing {
  public let exchange: LayerExchange
  public private(set) var lastGPUEvent: (any DeviceEvent)?
  /// Why the cache is smaller than it should be; nil where it is not.
  public let shortage: String?
  /// Takes the place of the model's routers, between steps; nil: they decide.
  public var routingSource: (any RoutingSource)?
  private let device: any Device
  private let waitsForMemory: Bool
  /// The MoE layers' numbers in the file, and back.
  private let numbers: [Int]
  private let places: [Int: Int]
  private let weights: HostExperts
  private let source: PinnedSource
  private let marks: EventPool
  private let cpu: CPULane
  private let gpu: GPULane
  private let uploader: Uploader
  private let residency: ExpertResidency
  private(set) var director: ExpertDirector
  private let lanes: any LaneCosts
  private let recordsTimeline: Bool
  private var routing: RoutingReader
  private var groups = RowGroups()

  private var step = -1
  private var phase = Phase.prefill
  private var tokenCount = 0
  private var isInLayer = false
  private var lastMark: StreamMark?

  /// Takes memory on the device and uploads the first residents.
  /// - Throws: `DeviceError`, `HybridError`, `DirectionError`.
  public init(_ setup: HybridSetup) throws {
    let device = setup.device
    self.device = device
    waitsForMemory = device.properties.waitsForMemory
    numbers = setup.layers.keys.sorted()
    places = Dictionary(uniqueKeysWithValues: numbers.enumerated().map { ($1, $0) })
    let layers = numbers.compactMap { setup.layers[$0] }
    marks = EventPool(device)
    source = try PinnedSource(
      device, store: setup.store, marks: marks, budget: setup.pinned,
      largestTile: HostExperts.largestTile(layers))
    weights = try HostExperts(
      layers: layers, numbers: numbers, compute: setup.compute, source: source)
    exchange = try LayerExchange(
      device: device, tokenCapacity: setup.tokenCapacity, ranks: setup.lanes.activatedCount,
      expertCount: setup.lanes.expertCount, hiddenSize: layers.first?.down.first?.rowCount ?? 0,
      widths: weights.recordWidths)
    routing = RoutingReader(exchange, numbers: numbers)
    cpu = CPULane(exchange, compute: setup.compute)
    gpu = try GPULane(device, experts: weights, exchange: exchange)
    let fitted = try FittedSlots(device, setup, slotByteCount: weights.largestByteCount)
    shortage = fitted.shortage
    director = try ExpertDirector(
      lanes: setup.lanes, system: fitted.system, popularity: setup.popularity, clock: setup.clock,
      pieceBytes: setup.pieceByteCount, recordsTimeline: setup.recordsTimeline)
    director.recordsActions = true
    director.checksPlans = setup.checksPlans
    uploader = try Uploader(device, slots: fitted.slots, weights: weights, marks: marks)
    let lanes = setup.lanes
    self.lanes = lanes
    recordsTimeline = setup.recordsTimeline
    residency = ExpertResidency(
      slots: fitted.slots, uploader: uploader, weights: weights,
      linkBytes: (0..<lanes.layerCount).map { lanes.linkBytes(ofLayer: $0) })
    try placeResidents()
  }

  private func placeResidents() throws {
    for (layer, experts) in director.residents.enumerated() {
      for index in experts { _ = try residency.place(ExpertID(layer: layer, index: index)) }
    }
  }

  /// Makes another system of everything that decides, between steps: what was learned and counted is forgotten, and
  /// the slots hold what that system begins with. It should need no more slots than the first one.
  /// - Parameter popularity: how often each expert was used in earlier runs, [layers × experts], or empty.
  /// - Throws: `DeviceError`, `DirectionError`.
  public func restart(_ system: SystemDescription, popularity: [Double] = []) throws {
    precondition(!isInLayer, "a system is exchanged between steps")
    var next = try ExpertDirector(
      lanes: lanes, system: system, popularity: popularity, clock: director.clock,
      recordsTimeline: recordsTimeline)
    next.recordsActions = true
    try device.synchronize()
    residency.clear()
    director = next
    step = -1
    try placeResidents()
    try device.synchronize()
  }

  // MARK: The step

  public func beginStep(tokenCount: Int, phase: Phase, position: Int) throws {
    precondition((1...exchange.tokenCapacity).contains(tokenCount))
    step += 1
    self.phase = phase
    self.tokenCount = tokenCount
    routingSource?.beginStep(tokenCount: tokenCount, phase: phase)
  }

  public func serve(
    layer number: Int, sequence: UInt32, observer: (any StepObserver)?
  ) throws {
    guard let layer = places[number] else {
      throw HybridError.wrongStep(reason: "layer \(number) has no routed experts")
    }
    try device.wait(for: exchange.routed, atLeast: sequence) {}
    var event = try routing.read(
      step: step, phase: phase, layer: layer, tokenCount: tokenCount)
    if let routingSource { event = routing.replace(event, by: routingSource.routing(layer: layer)) }
    observer?.didRoute(routing.layerRouting(event, readsScores: observer?.readsScores == true))
    groups.take(event.ids, ranks: exchange.ranks, expertCount: exchange.expertCount)
    let directive = try director.plan(event)
    isInLayer = true
    try follow()
    let work = LayerWork(directive)
    gpu.begin(groups, tokenCount: tokenCount)
    routing.writeOrigins(groups, onCPU: work.cpu)
    try launch(work)
    if waitsForMemory { try gpu.stream.write(sequence, to: exchange.gpuDone) }
    director.playPlan()
    try follow()
    try cpu.run(
      work.cpu, of: weights.layers[layer], groups: groups, tokenCount: tokenCount)
    device.clock.hostWorked(microseconds: work.cpuMicroseconds)
    device.write(sequence, to: exchange.cpuDone)
    director.endLayer()
    try follow()
    isInLayer = false
  }

  public func endStep() throws {
    director.endStep()
    try follow()
  }

  public func abandon(through sequence: UInt32) {
    device.write(sequence, to: exchange.cpuDone)
    // Behind what the GPU lane's stream has still to write, which would set the word back.
    let isSubmitted =
      waitsForMemory && (try? gpu.stream.write(sequence, to: exchange.gpuDone)) != nil
    if !isSubmitted { device.write(sequence, to: exchange.gpuDone) }
    residency.abandon { [device, residency] value, slot in
      device.write(value, to: residency.slots.arrivalWord(of: slot))
    }
    if isInLayer {
      director.playPlan()
      director.endLayer()
      isInLayer = false
    }
  }

  private func follow() throws {
    try residency.perform(director.actions) { director.isResident($0) }
  }

  // MARK: The GPU lane

  private func launch(_ work: LayerWork) throws {
    let layer = work.layer
    lastMark = nil
    // Kept while slots are handed out below: what the director has given up in favour of a copy of this
    // very plan is still to be read.
    let ready = work.residents.filter { residency.slots.ledger.slot(of: $0) != nil }
    let underWay = work.arrivals.map(\.expert).filter {
      residency.slots.ledger.slot(of: $0) != nil
    }
    for expert in ready + underWay { residency.retain(expert) }
    try launchReady(ready, layer)
    var spent: [Upload] = []
    var pending: [Upload] = []
    // A resident that never got its slot is brought now.
    let lost = work.residents.filter { !ready.contains($0) }.map { (expert: $0, stays: true) }
    for (expert, stays) in lost + work.arrivals {
      if residency.slots.ledger.isResident(expert) {
        try launchReady([expert], layer, isRetained: underWay.contains(expert))
        continue
      }
      let upload = try slot(for: expert, of: work, reusing: &spent)
      if waitsForMemory { pending.append(upload) } else { try residency.complete(upload) }
      try launchReady([expert], layer, isRetained: underWay.contains(expert))
      if !stays { spent.append(upload) }
    }
    for upload in pending { try residency.complete(upload) }
    lastGPUEvent = lastMark?.event
  }

  // A free slot, or that of a copy that has been launched and does not stay; else one that nobody needs
  // now.
  private func slot(
    for expert: ExpertID, of work: LayerWork, reusing spent: inout [Upload]
  ) throws -> Upload {
    while true {
      if let upload = try residency.bring(expert) { return upload }
      if !spent.isEmpty {
        residency.reuseSlot(of: spent.removeFirst())
      } else if !residency.preempt(sparing: { $0.layer == work.layer && work.usesOnGPU($0) }) {
        throw HybridError.noSlot(experts: work.arrivals.count)
      }
    }
  }

  /// Launches experts that have slots, and marks the slots as read.
  private func launchReady(
    _ experts: [ExpertID], _ layer: Int, isRetained: Bool = true
  ) throws {
    guard !experts.isEmpty else { return }
    let slots = residency.slots
    var launched: [(expert: Int, slot: UInt64, rows: Range<Int>)] = []
    for expert in experts {
      guard let slot = slots.ledger.slot(of: expert) else {
        preconditionFailure("an expert is launched from its slot")
      }
      try slots.waitForArrival(in: slot, on: gpu.stream, waitsForMemory: waitsForMemory)
      launched.append((expert.index, slots.address(of: slot), groups.rows[expert.index]))
    }
    try gpu.launch(layer: layer, launched)
    let mark = try marks.mark(gpu.stream)
    lastMark = mark
    for expert in experts {
      if let slot = slots.ledger.slot(of: expert) { slots.noteRead(of: slot, mark) }
      if isRetained { residency.release(expert) }
    }
  }
}

/// A directive as the lanes need it.
struct LayerWork {
  let layer: Int
  /// Computed by the GPU from where they are.
  private(set) var residents: [ExpertID] = []
  /// Computed by the GPU when they have arrived, in the order of the link.
  private(set) var arrivals: [(expert: ExpertID, stays: Bool)] = []
  /// Computed by the CPU, in the plan's order.
  private(set) var cpu: [Int] = []
  func usesOnGPU(_ expert: ExpertID) -> Bool {
    residents.contains(expert) || arrivals.contains { $0.expert == expert }
  }

  /// What the CPU is predicted to take.
  private(set) var cpuMicroseconds = 0.0

  init(_ directive: LayerDirective) {
    layer = directive.layer
    let copied = directive.late + directive.copies
    for operation in directive.plan.operations {
      guard case .expert(let index) = operation.subject else { continue }
      switch operation.lane {
      case .cpu:
        cpu.append(index)
        cpuMicroseconds += operation.end - operation.start
      case .gpu:
        guard !copied.contains(where: { $0.index == index }) else { continue }
        residents.append(ExpertID(layer: layer, index: index))
      case .link: break
      }
    }
    for copy in copied {
      arrivals.append((ExpertID(layer: layer, index: copy.index), copy.stays))
    }
  }
}
