import ExpertDirection
import ExpertScheduling
import ExpertSimulation
import Experts
import RoutingTraces

/// A small model on lanes that are about equally strong, so that every decision matters.
struct DirectionWorld {
  var costs: LaneCostTable
  var events: [RoutingEvent]
  var popularity: [Double]

  static let behavior = RoutingBehavior(
    persistence: 0.5, parts: .init(model: 1, sequence: 1, topic: 1, drift: 2), topicTokens: 20,
    driftTokens: 4, layerCorrelation: 0.2, sharpness: 1.5, accuracies: [0.8, 0.7, 0.6],
    biasShare: 0.3, renormalizes: true)

  /// - Parameters:
  ///   - turns: prompts, each followed by an answer.
  ///   - speedup: of the link; makes copies ahead more or less worth while.
  init(
    layers: Int = 5, experts: Int = 16, turns: Int = 1, prompt: Int = 9, decode: Int = 24,
    speedup: Double = 1, seed: UInt64 = 1
  ) throws {
    costs = try Self.costs(layers: layers, experts: experts, speedup: speedup)
    let header = TraceHeader(
      model: "small", layers: layers, experts: experts, activated: costs.activatedCount,
      expertBytes: (0..<layers).map { _ in 0 })
    events = []
    popularity = []
    for turn in 0..<turns {
      let sequence = try SimulatedSequence(
        header, behavior: Self.behavior, promptTokens: prompt, decodeTokens: decode,
        seed: seed + UInt64(turn))
      let first = (events.last?.step ?? -1) + 1
      for var event in sequence.events {
        event.step += first
        events.append(event)
      }
      if turn == 0 { popularity = sequence.popularity }
    }
  }

  static func costs(
    layers: Int, experts: Int, speedup: Double = 1
  ) throws -> LaneCostTable {
    let cpu = CostModel.CPU(
      firstMicroseconds: 5, bytesPerMicrosecond: 30_000, parameterTokensPerMicrosecond: 100_000)
    let gpu = CostModel.GPU(
      launchMicroseconds: 5, expertMicroseconds: 2, bytesPerMicrosecond: 500_000, kneeTokens: 16,
      parameterTokensPerMicrosecond: 5_000_000)
    let link = CostModel.Link(
      latencyMicroseconds: 10, bytesPerMicrosecond: 25_000 * speedup,
      overlappedBytesPerMicrosecond: 20_000 * speedup)
    let parts = (0..<layers).map { layer in
      // Every other layer has larger experts, as mixed quantisations do.
      LaneCostTable.Layer(
        footprint: ExpertFootprint(
          hostBytes: layer.isMultiple(of: 2) ? 3_500_000 : 4_300_000, parameters: 6_291_456,
          elementType: "Q4_K"),
        attention: .init(
          fixedMicroseconds: 40, microsecondsPerToken: 0.5, microsecondsPerPosition: 0.01),
        shared: .init(fixedMicroseconds: 10))
    }
    return try LaneCostTable(
      model: CostModel(cpu: ["*": cpu], gpu: gpu, link: link, handshakeMicroseconds: 8),
      layers: parts, expertCount: experts, activatedCount: 2,
      denseLayers: .init(fixedMicroseconds: 60), outputMicroseconds: 30)
  }

  /// Two turns, made once: making up their routing takes longer than playing it.
  static let shared = Result { try DirectionWorld(turns: 2, decode: 12) }

  func director(
    _ system: SystemDescription, clock: ExpertDirector.Clock = .modelled,
    recordsTimeline: Bool = false
  ) throws -> ExpertDirector {
    var director = try ExpertDirector(
      lanes: costs, system: system, popularity: popularity, clock: clock,
      recordsTimeline: recordsTimeline)
    director.recordsActions = true
    director.checksPlans = true
    return director
  }

  /// Every scheduler's system with few and many slots, and our own with parts changed.
  static var systems: [SystemDescription] {
    var systems = SchedulerName.allCases.flatMap { name in
      [0.125, 0.5].map { SystemDescription(name, cacheRatio: $0) }
    }
    for cacheSlots in [1, 4, 16] {
      var system = SystemDescription(.hybrimoe, cacheRatio: 0)
      system.cacheSlots = cacheSlots
      systems.append(system)
      system.admission = .forced
      systems.append(system)
      system.prefetching = .paper
      system.eviction = .mrs
      systems.append(system)
      system.prefetching = .off
      systems.append(system)
    }
    var uneven = SystemDescription(.hybrimoe, cacheRatio: 0)
    uneven.layerSlots = [0, 1, 5, 2, 16]
    systems.append(uneven)
    uneven.layerSlots = [3, 2, 4, 5, 6]
    uneven.movesSlots = true
    systems.append(uneven)
    return systems
  }
}
