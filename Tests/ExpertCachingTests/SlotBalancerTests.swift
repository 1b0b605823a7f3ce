import Experts
import Testing

@testable import ExpertCaching

struct SlotBalancerTests {
  // Layer 0 uses four experts in turn, layer 1 draws from all sixteen, so it has use for every slot.
  private func event(step: Int, layer: Int, _ random: inout Noise) -> RoutingEvent {
    let id = layer == 0 ? random.below(4) : random.below(16)
    return RoutingEvent(step: step, phase: .decode, layer: layer, ids: [id])
  }

  private func cache(_ change: (inout CacheConfiguration) -> Void = { _ in }) throws -> ExpertCache
  {
    var configuration = CacheConfiguration(layers: 2, experts: 16, activated: 1, slotsPerLayer: 8)
    configuration.eviction = .lfu
    configuration.movesSlots = true
    change(&configuration)
    return try ExpertCache(configuration)
  }

  @Test(arguments: [EvictionName.lfu, .lru, .auto])
  func `slots move to the layer that has use for them, and none is lost`(
    eviction: EvictionName
  ) throws {
    var moving = try cache { $0.eviction = eviction }
    var fixed = try cache {
      $0.eviction = eviction
      $0.movesSlots = false
    }
    var random = Noise(seed: 4)
    for step in 0..<600 {
      for layer in 0..<2 {
        let event = event(step: step, layer: layer, &random)
        moving.play(event)
        fixed.play(event)
        #expect(moving.slots(ofLayer: 0) + moving.slots(ofLayer: 1) == 16)
      }
    }
    #expect(moving.slots(ofLayer: 0) == 4)
    #expect(moving.slots(ofLayer: 1) == 12)
    #expect(moving.statistics.decode.hits > fixed.statistics.decode.hits + 60)
    let slots = (0..<2).flatMap { layer in
      (0..<16).compactMap { moving.slot(of: ExpertID(layer: layer, index: $0)) }
    }
    #expect(Set(slots).count == slots.count)
    #expect(slots.allSatisfy { (0..<16).contains($0) })
  }

  @Test func `layers with experts of different sizes exchange no slots`() throws {
    var cache = try cache { $0.expertBytes = [100, 200] }
    var random = Noise(seed: 4)
    for step in 0..<300 {
      for layer in 0..<2 { cache.play(event(step: step, layer: layer, &random)) }
    }
    #expect(cache.slots(ofLayer: 0) == 8)
  }

  @Test func `a layer whose residents are all in use gives no slot`() throws {
    var cache = try cache()
    for index in 0..<8 {
      cache.insert(ExpertID(layer: 0, index: index))
      cache.retain(ExpertID(layer: 0, index: index))
    }
    var random = Noise(seed: 4)
    for step in 0..<300 {
      cache.observe(event(step: step, layer: 0, &random))
      cache.play(event(step: step, layer: 1, &random))
    }
    #expect(cache.slots(ofLayer: 0) == 8)
    #expect(cache.residents(ofLayer: 0).count == 8)
  }

  @Test func `the curve of LRU is its hits at every size`() throws {
    var routing = SyntheticRouting(layers: 1, experts: 12, topK: 1)
    routing.stepsPerTopic = 40
    let trace = routing.trace(promptTokens: 0, decodeSteps: 150, seed: 8)
    var event = LayerActivation(experts: 12, topK: 1)
    var ranked = RankedExperts(experts: 12, policy: LRU())
    var positions: [Int] = []
    for routed in trace.events {
      event.read(routed)
      var curve = HitCurve(experts: 12)
      curve.observe(event, ranks: ranked.ranks)
      // The only activation stands where the curve has its only hit.
      positions.append(curve.place ?? -1)
      ranked.observe(event, base: 0)
    }
    for slots in 1...12 {
      let request = ReplayRequest(
        capacities: [Double(slots) / 12], evictions: [.lru], admissions: [.forced])
      var statistics = try TraceStatistics(header: trace.header, request: request)
      for routed in trace.events { statistics.append(routed) }
      let firstUses = Set(trace.events.flatMap(\.ids)).count
      let reached = positions.count { $0 < slots }
      let hits = statistics.results()[0].statistics.hits
      // Experts never used before stand somewhere too, but are no hits.
      #expect(reached >= hits && reached <= hits + firstUses)
    }
  }
}

extension HitCurve {
  /// The first place with a hit.
  var place: Int? { (0..<12).first { gain(slots: $0) > 0 } }
}
