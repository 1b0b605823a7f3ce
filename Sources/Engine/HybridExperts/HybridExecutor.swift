import CPUCompute
import Devices
import ExpertDirection
import ExpertPrefetching
import Experts
import Models
import Synchronization

/// Shares each MoE layer's experts out between CPU, GPU and link as the director decides, for a step
/// whose dense part has been submitted to the device ahead.
///
/// A layer, in the order of the calls:
///
/// 1. Wait for the routing, read it, ask the director.
/// 2. Submit to the GPU lane: the residents, and what has arrived since, in one launch for each half; then
///    for each group of copies, in the order of the link: wait for its slots' arrivals, launch, mark the
///    slots as read. Then `gpuDone`. Groups are those of `ArrivalGroups`.
/// 3. Issue the copies, compute the CPU's experts, write `cpuDone`.
/// 4. Tell the director that the layer is over; do what it says.
///
/// Nothing can wait for ever. A launch waits for the uploads of the slots that it reads; an upload waits for
/// the last launch that read its slot before, which was submitted before the slot was handed out: where a
/// group needs the slot of one of its own, it is launched in parts. Within a layer slots are handed out in the order of the launches, copies are issued in the same order, and no
/// other copy begins before the last of these is issued wholly. Where there are very many, the copies of
/// the first launches are issued before the next ones are submitted, which changes neither order, so that
/// the stream never holds more than a driver takes. So an upload waits for no launch that
/// waits for a later upload: the first of all that wait has nothing to wait for.
///
/// With the modelled clock the director's cost model says when copies arrive, all of them are issued at
/// once and a run can be replayed to the letter. With the measured clock a thread issues them piece by
/// piece as the hardware takes them, and the director is told when they arrived.
public final class HybridExecutor: LayerServing {
  public let exchange: LayerExchange
  public internal(set) var lastGPUEvent: (any DeviceEvent)?
  /// Why the cache is smaller than it should be; nil where it is not.
  public let shortage: String?
  /// Takes the place of the model's routers, between steps; nil: they decide.
  public var routingSource: (any RoutingSource)?
  let device: any Device
  let waitsForMemory: Bool
  /// Launches behind copies that are submitted before these copies are issued, at most. Each is up to six
  /// operations of the stream.
  let arrivalLimit: Int
  /// The MoE layers' numbers in the file, and back.
  let numbers: [Int]
  let places: [Int: Int]
  let weights: HostExperts
  let source: PinnedSource
  let marks: EventPool
  let cpu: CPULane
  let gpu: GPULane
  let uploader: Uploader
  let residency: ExpertResidency
  var director: ExpertDirector
  /// As they are now: refreshed by what running layers take.
  var lanes: any LaneCosts
  let recordsTimeline: Bool
  let clock: ExpertDirector.Clock
  let pieceByteCount: Int
  var routing: RoutingReader
  var groups = RowGroups()
  var recorder: LaneRecorder

  var step = -1
  var phase = Phase.prefill
  var tokenCount = 0
  /// Positions in the cache after this step.
  var context = 0
  /// Whether no MoE layer of this step has been submitted yet.
  var isBeforeLayers = true
  var isInLayer = false
  var runningSequence: UInt32 = 0
  /// Guards all that the link's thread touches: director, residency, slots, sources.
  let lock = Mutex<Void>(())
  /// With the measured clock.
  var link: BackgroundThread?
  /// Pins memory that copies want, without the lock.
  private(set) var pinning: BackgroundThread?
  var linkFailure: (any Error)?
  /// Whether there is one: the host asks in every turn of a wait, and would keep the link's thread from
  /// the lock.
  let linkHasFailed = Atomic(false)
  var inFlight: [StreamMark] = []
  /// Whether a layer was left in the middle.
  var hasFailed = false
  var lastMark: StreamMark?

  /// Takes memory on the device and uploads the first residents.
  /// - Throws: `DeviceError`, `HybridError`, `DirectionError`.
  public init(_ setup: HybridSetup) throws {
    let device = setup.device
    self.device = device
    waitsForMemory = device.properties.waitsForMemory
    let pending = device.properties.pendingOperationLimit
    arrivalLimit = pending == .max ? 32 : max(1, pending / 8)
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
    clock = setup.clock
    pieceByteCount = setup.pieceByteCount
    residency = ExpertResidency(
      slots: fitted.slots, uploader: uploader, weights: weights,
      linkBytes: (0..<lanes.layerCount).map { lanes.linkBytes(ofLayer: $0) })
    recorder = LaneRecorder(device.clock, recordsTimeline: setup.recordsTimeline)
    residency.onWhole = { [unowned self] in noteUpload($0) }
    try placeResidents()
    if setup.clock == .measured {
      residency.packsExperts = false
      link = try BackgroundThread(
        work: { [weak self] in try self?.driveLink() },
        onFailure: { [weak self] in self?.linkFailed($0) })
      try pinBeside()
    }
  }

  /// Ends the work beside the steps, between them and for good: nothing is copied any more.
  ///
  /// To be called by the owner before it lets go, so that all memory is given back on the owner's thread and
  /// not on the link's, which may be at work at that moment.
  public func end() {
    link?.end()
    pinning?.end()
  }

  // No layer is held up by it from now on.
  private func pinBeside() throws {
    let chunks = source.chunks
    let thread = try BackgroundThread(
      work: {
        try chunks.pinWanted()
        return nil
      }, onFailure: { [weak self] in self?.linkFailed($0) })
    pinning = thread
    chunks.leavePinning { [weak thread] in thread?.ring() }
  }

  deinit {
    end()
    // Copies may still be on their way from and to what is given back now.
    try? device.synchronize()
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
    let (known, checksPlans) = lock.withLock { _ in (director.system, director.checksPlans) }
    var next = try ExpertDirector(
      lanes: lanes, system: residency.slots.count > 0 ? system : known,
      popularity: popularity, clock: clock, pieceBytes: pieceByteCount,
      recordsTimeline: recordsTimeline)
    next.recordsActions = true
    next.checksPlans = checksPlans
    try device.synchronize()
    try lock.withLock { _ in try begin(with: next) }
    try device.synchronize()
  }

  private func begin(with next: ExpertDirector) throws {
    inFlight.removeAll()
    residency.clear()
    director = next
    recorder = LaneRecorder(device.clock, recordsTimeline: recordsTimeline)
    step = -1
    try placeResidents()
  }

  // MARK: The step

  public var wantsPredictions: Bool {
    lock.withLock { _ in director.system.prefetching != .off }
  }

  public func beginStep(tokenCount: Int, phase: Phase, position: Int) throws {
    precondition((1...exchange.tokenCapacity).contains(tokenCount))
    lock.withLock { _ in
      step += 1
      self.phase = phase
    }
    self.tokenCount = tokenCount
    context = position + tokenCount
    isBeforeLayers = true
    routingSource?.beginStep(tokenCount: tokenCount, phase: phase)
  }

  public func serve(
    layer number: Int, sequence: UInt32, observer: (any StepObserver)?
  ) throws {
    do {
      try serveLayer(number, sequence, observer)
    } catch {
      hasFailed = true
      throw error
    }
  }

  private func serveLayer(
    _ number: Int, _ sequence: UInt32, _ observer: (any StepObserver)?
  ) throws {
    guard let layer = places[number] else {
      throw HybridError.wrongStep(reason: "layer \(number) has no routed experts")
    }
    try device.wait(for: exchange.routed, atLeast: sequence) { try endLayerIfDone() }
    try lock.withLock { _ in
      recorder.layerBegins()
      try recorder.collect()
    }
    try endLayer()
    var event = try routing.read(
      step: step, phase: phase, layer: layer, tokenCount: tokenCount)
    if let routingSource { event = routing.replace(event, by: routingSource.routing(layer: layer)) }
    observer?.didRoute(routing.layerRouting(event, readsScores: observer?.readsScores == true))
    groups.take(event.ids, ranks: exchange.ranks, expertCount: exchange.expertCount)
    let work = try lock.withLock { _ in try beginLayer(event, sequence) }
    link?.ring()
    recorder.cpuBegins()
    try cpu.run(
      work.cpu, of: weights.layers[layer], groups: groups, tokenCount: tokenCount)
    device.clock.hostWorked(microseconds: work.cpuMicroseconds)
    lock.withLock { _ in
      recorder.layerEnds(work.directive, sequence: sequence, cpuWorked: !work.cpu.isEmpty)
    }
    device.write(sequence, to: exchange.cpuDone)
    if clock == .modelled { try endLayer() } else { try endLayerIfDone() }
  }

  // The plan, and the GPU's part of it.
  private func beginLayer(_ event: RoutingEvent, _ sequence: UInt32) throws -> LayerWork {
    let directive = try director.plan(event, at: measuredTime)
    runningSequence = sequence
    isInLayer = true
    let work = LayerWork(directive)
    residency.planBegins(using: work.residents + work.arrivals)
    try follow()
    // On the team, which is many times faster than the link's thread alone.
    if clock == .measured { weights.pack(work.arrivals) }
    gpu.begin(groups, tokenCount: tokenCount)
    routing.writeOrigins(groups, onCPU: work.cpu)
    try launch(work)
    if waitsForMemory { try gpu.stream.write(sequence, to: exchange.gpuDone) }
    if clock == .modelled { director.playPlan() } else { director.releaseRing() }
    try follow()
    return work
  }

  public func endStep() throws {
    if isInLayer {
      // The last layer: nobody's routing tells when it is over.
      if waitsForMemory {
        try device.wait(for: exchange.gpuDone, atLeast: runningSequence) { try checkLink() }
      } else {
        try lastMark?.event.synchronize()
      }
      try endLayer()
    }
    try lock.withLock { _ in
      director.endStep(at: measuredTime)
      try follow()
      refreshCosts()
    }
    link?.ring()
  }

  /// Ends the layer that was served, where it has not ended yet.
  private func endLayer() throws {
    guard isInLayer else { return }
    try lock.withLock { _ in
      director.endLayer(at: measuredTime)
      isInLayer = false
      try follow()
    }
    link?.ring()
  }

  /// Ends it as soon as the GPU is done: what the link brings next is decided then.
  private func endLayerIfDone() throws {
    try checkLink()
    guard isInLayer else { return }
    let isDone =
      waitsForMemory
      ? exchange.gpuDone.hasReached(runningSequence)
      : try lastMark?.event.isDone() ?? true
    if isDone { try endLayer() }
  }

  private var measuredTime: Double? { clock == .measured ? device.clock.now : nil }

  public func abandon(through sequence: UInt32) {
    device.write(sequence, to: exchange.cpuDone)
    // Behind what the GPU lane's stream has still to write, which would set the word back. A stream that takes
    // no write more is lost with its device, and then nothing waits.
    if waitsForMemory { try? gpu.stream.write(sequence, to: exchange.gpuDone) }
    // A step that the caller gives up between layers leaves all in order: what was submitted ends.
    if hasFailed { lock.withLock { _ in forgetUploads() } }
    try? gpu.stream.synchronize()
    lock.withLock { _ in
      if isInLayer {
        director.endLayer(at: measuredTime)
        isInLayer = false
        if (try? follow()) == nil { hasFailed = true }
      }
      recorder.forgetStep()
      if hasFailed { residency.keep { director.isResident($0) } }
      hasFailed = false
    }
    link?.ring()
  }

  func forgetUploads() {
    residency.abandon { [device, residency] value, slot in
      device.write(value, to: residency.slots.arrivalWord(of: slot))
    }
  }

  func noteUpload(_ upload: Upload) {
    // What fills the slots before the first step is no work of any step.
    guard step >= 0, let begin = upload.begin, let end = upload.end else { return }
    recorder.uploaded(
      upload, from: begin, to: end, step, phase,
      predicted: upload.isAwaited ? linkMicroseconds(upload.expert.layer) : nil)
  }

  func follow() throws {
    try residency.perform(director.actions) { director.isResident($0) }
  }
}
