import Devices
import EmulatedDevice
import ExpertDirection
import ExpertScheduling
import Experts
import Testing

@testable import HybridExperts

/// Streams that are as late as they may be: nothing runs but while the host waits, and then what a test wants.
@Suite struct LateStreamTests {
  private static let streams = ["upload", "experts", "compute"]
  private let experts = MadeExperts(layerCount: 2)

  private func make(
    _ precedence: [String], waitsForMemory: Bool = true, cacheSlots: Int, log: OperationLog? = nil,
    _ adjust: (inout HybridSetup) -> Void = { _ in }
  ) throws -> ServedLayers {
    var configuration = EmulatedDevice.Configuration(
      waitsForMemory: waitsForMemory, ignoredOperations: log.map { $0.note })
    configuration.precedence = precedence
    configuration.hostThreadCount = 2
    var system = SystemDescription(.allGPU, cacheRatio: 0.25)
    system.cacheSlots = cacheSlots
    return try ServedLayers(experts, configuration, adjust, system: system)
  }

  private func check(_ served: ServedLayers, _ steps: [MadeStep]) throws {
    for step in steps { #expect(bits(try served.run(step)) == bits(try experts.reference(step))) }
  }

  /// A copy may run long before the launch that reads its slot's last expert, or that launch before the copy.
  @Test(arguments: streams, [true, false])
  func `whichever stream is first or last, the numbers are the processor's`(
    _ first: String, _ waitsForMemory: Bool
  ) throws {
    let others = Self.streams.filter { $0 != first }
    for rest in [others, others.reversed()] {
      let served = try make([first] + rest, waitsForMemory: waitsForMemory, cacheSlots: 1)
      try check(served, experts.steps([6, 1, 1, 5, 1], seed: 5))
    }
  }

  @Test func `a step that is given up while the GPU lane is late ends, and so does the next one`()
    throws
  {
    let served = try make(["upload", "experts", "compute"], cacheSlots: experts.expertCount)
    let steps = experts.steps([6, 1], seed: 3)
    var isDone: Bool?
    served.didAbandon = { isDone = try served.executor.lastGPUEvent?.isDone() }
    #expect(throws: ServedLayers.Stopped.self) { _ = try served.run(steps[0], stoppingAfter: 1) }
    #expect(isDone == true)
    try served.device.synchronize()
    try check(served, steps)
  }

  @Test func `memory is given back when all copies into it have run`() throws {
    var served: ServedLayers? = try make([], cacheSlots: 4)
    let device = try #require(served?.device)
    let weights = served?.made
    served = nil
    try device.synchronize()
    withExtendedLifetime(weights) {}
  }

  @Test func `so it is where an executor cannot be made`() throws {
    var made: (any Device)?
    let experts = MadeExperts(hasBiases: true)
    var configuration = EmulatedDevice.Configuration()
    configuration.precedence = []
    var system = SystemDescription(.ktransformers, cacheRatio: 0.25)
    system.eviction = .static
    #expect(throws: DirectionError.self) {
      _ = try ServedLayers(experts, configuration, { made = $0.device }, system: system)
    }
    let device = try #require(made)
    try device.synchronize()
  }

  @Test func `no more than two pieces of copies are on their way`() throws {
    let served = try make([], cacheSlots: 4) {
      $0.clock = .measured
      $0.system.initialResidency = .empty
    }
    let executor = served.executor
    executor.end()
    _ = try executor.director.plan(
      RoutingEvent(
        step: 0, phase: .decode, layer: 0, ids: [0, 1], weights: [0.5, 0.5],
        scores: Array(repeating: 0.125, count: 8)), at: executor.device.clock.now)
    let event = try #require(try executor.driveLink())
    let (isDone, inFlight) = (try event.isDone(), executor.inFlight.count)
    #expect(!isDone && inFlight == 2)
    try event.synchronize()
    _ = try executor.driveLink()
    #expect(executor.inFlight.count == 2)
  }

  /// The cache holds experts 0 and 1; 2 is copied before the plan begins.
  @Test(arguments: [true, false])
  func `what has come is launched with the residents, what has not behind them`(
    _ hasCome: Bool
  ) throws {
    let log = OperationLog()
    let served = try make([], cacheSlots: 2, log: log)
    let (executor, residency) = (served.executor, served.executor.residency)
    let ids = [0, 2]
    executor.groups.take(ids, ranks: 2, expertCount: experts.expertCount)
    let work = LayerWork(
      try executor.director.plan(
        RoutingEvent(
          step: 0, phase: .decode, layer: 0, ids: ids, weights: [0.5, 0.5],
          scores: Array(repeating: 0.125, count: 8))))
    try #require(work.residents.map(\.index) == [0] && work.arrivals.map(\.index) == [2])
    try residency.carry(work.arrivals[0], through: .max, .onDemand)
    if hasCome { try served.device.synchronize() }
    residency.planBegins(using: work.residents + work.arrivals)
    executor.gpu.begin(executor.groups, tokenCount: 1)
    log.clear()
    try executor.launch(work)
    #expect(log.count("experts", .launch) == (hasCome ? 2 : 4))
  }

  @Test func `a resident that lost its slot is brought when it is used`() throws {
    let served = try make(Self.streams, cacheSlots: 2)
    let residency = served.executor.residency
    #expect(residency.preempt { $0.layer != 0 || $0.index != 1 })
    #expect(residency.isWaiting(ExpertID(layer: 0, index: 1)))
    var step = experts.steps([1], seed: 4)[0]
    step.ids[0] = [1, 0]
    try check(served, [step])
    #expect(residency.slots.ledger.isResident(ExpertID(layer: 0, index: 1)))
  }

  @Test func `what is there is waited for once`() throws {
    let log = OperationLog()
    let served = try make(Self.streams, cacheSlots: experts.expertCount, log: log)
    let step = experts.steps([6], seed: 3)[0]
    try check(served, [step])
    let waits = log.count("experts", .waitForWord)
    #expect(waits > 0)
    try check(served, [step])
    #expect(log.count("experts", .waitForWord) == waits)
  }

  @Test(arguments: [true, false])
  func
    `with the measured clock a layer is over when its GPU lane is, and the step with the last one`(
      _ waitsForMemory: Bool
    ) throws
  {
    let served = try make(
      ["upload", "compute", "experts"], waitsForMemory: waitsForMemory,
      cacheSlots: experts.expertCount
    ) { $0.clock = .measured }
    let executor = served.executor
    var (serveCount, endCount) = (0, 0)
    served.didServe = {
      serveCount += 1
      #expect(executor.isInLayer)
      let isDone = try executor.lastGPUEvent?.isDone()
      #expect(isDone == false)
    }
    served.didEndStep = {
      endCount += 1
      #expect(!executor.isInLayer)
      let isDone = try executor.lastGPUEvent?.isDone()
      #expect(isDone == true)
    }
    try check(served, experts.steps([6, 1], seed: 5))
    #expect(serveCount == 4 && endCount == 2)
  }

  @Test func `systems are exchanged while the device has nothing to do`() throws {
    let log = OperationLog()
    let served = try make(Self.streams, cacheSlots: 4, log: log)
    let steps = experts.steps([6, 1], seed: 5)
    try check(served, steps)
    log.clear()
    var next = SystemDescription(.adapmoe, cacheRatio: 0.25)
    next.cacheSlots = 4
    try served.executor.restart(next)
    let operations = log.operations
    #expect(operations.first?.kind == .hostSynchronize)
    #expect(operations.last?.kind == .hostSynchronize)
    #expect(operations.contains { $0.kind == .upload })
    try check(served, steps)
  }
}
