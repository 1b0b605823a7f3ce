import ExpertCaching
import Experts
import Testing

struct ExpertCacheTests {
  private func configuration(
    _ eviction: EvictionName = .lru, slots: Int = 2, layers: Int = 2, experts: Int = 6
  ) -> CacheConfiguration {
    var configuration = CacheConfiguration(
      layers: layers, experts: experts, activated: 1, slotsPerLayer: slots)
    configuration.eviction = eviction
    return configuration
  }

  private func decode(_ ids: [Int], layer: Int = 0, step: Int = 0) -> RoutingEvent {
    RoutingEvent(step: step, phase: .decode, layer: layer, ids: ids)
  }

  @Test func `free slots are offered first, then the victim of the rule`() throws {
    var cache = try ExpertCache(configuration())
    let experts = (0..<4).map { ExpertID(layer: 0, index: $0) }
    #expect(cache.offer(for: experts[0]) == .free)
    cache.insert(experts[0])
    cache.insert(experts[1])
    cache.observe(decode([0]))
    cache.observe(decode([1]))
    #expect(cache.offer(for: experts[2]) == .replacing(experts[0], newcomerRanksHigher: true))
    let slot = cache.slot(of: experts[0])
    #expect(cache.insert(experts[2], replacing: cache.victim(for: experts[2])) == slot)
    #expect(!cache.isResident(experts[0]))
    #expect(cache.residents(ofLayer: 0).members == [1, 2])
  }

  @Test func `a retained or spared expert is never a victim`() throws {
    var cache = try ExpertCache(configuration())
    let (first, second) = (ExpertID(layer: 1, index: 0), ExpertID(layer: 1, index: 1))
    let newcomer = ExpertID(layer: 1, index: 5)
    cache.insert(first)
    cache.insert(second)
    cache.retain(first)
    cache.retain(first)
    cache.release(first)
    #expect(cache.victim(for: newcomer) == second)
    #expect(cache.offer(for: newcomer, sparing: ExpertSet([1])) == .none)
    cache.release(first)
    #expect(cache.victim(for: newcomer, sparing: ExpertSet([1])) == first)
  }

  @Test func `overwriting a slot in use ends the program`() async {
    await #expect(processExitsWith: .failure) {
      var configuration = CacheConfiguration(
        layers: 1, experts: 4, activated: 1, slotsPerLayer: 1)
      configuration.eviction = .lru
      guard var cache = try? ExpertCache(configuration) else { return }
      let expert = ExpertID(layer: 0, index: 0)
      cache.insert(expert)
      cache.retain(expert)
      cache.insert(ExpertID(layer: 0, index: 1), replacing: expert)
    }
  }

  @Test func `a prefetched expert counts apart until its layer has run`() throws {
    var cache = try ExpertCache(configuration())
    let (early, wrong) = (ExpertID(layer: 0, index: 3), ExpertID(layer: 0, index: 4))
    cache.insert(early, isPrefetched: true)
    cache.insert(wrong, isPrefetched: true)
    // Another layer's event leaves the marks alone.
    cache.observe(decode([3], layer: 1))
    #expect(cache.isPrefetched(early))
    cache.observe(decode([3]))
    #expect(cache.statistics.decode.prefetched == 1)
    #expect(cache.statistics.decode.hits == 0)
    // Their layer has run: from now on both are residents like any others.
    #expect(!cache.isPrefetched(wrong))
    cache.observe(decode([3]))
    cache.observe(decode([4]))
    #expect(cache.statistics.decode.prefetched == 1)
    #expect(cache.statistics.decode.hits == 2)
    #expect(cache.statistics.decode.activated == 4)
  }

  @Test(arguments: [EvictionName.mrs, .lfu, .lfru, .workload, .auto])
  func `a plan that follows the offers has the hits of the classical replay with bypass`(
    eviction: EvictionName
  ) throws {
    let routing = SyntheticRouting(layers: 2, experts: 10, topK: 2)
    let trace = routing.trace(promptTokens: 0, decodeSteps: 120, seed: 5)
    var configuration = CacheConfiguration(
      layers: 2, experts: 10, activated: 2, slotsPerLayer: 4)
    configuration.eviction = eviction
    var replayed = try ExpertCache(configuration)
    var planned = replayed
    for event in trace.events {
      replayed.play(event)
      planned.observe(event)
      let activated = ExpertSet(event.ids)
      for index in event.ids {
        let expert = ExpertID(layer: event.layer, index: index)
        guard !planned.isResident(expert) else { continue }
        switch planned.offer(for: expert, sparing: activated) {
        case .free: planned.insert(expert)
        case .replacing(let victim, newcomerRanksHigher: true):
          planned.insert(expert, replacing: victim)
        default: break
        }
      }
    }
    #expect(planned.statistics == replayed.statistics)
    #expect(planned.statistics.decode.hits > 0)
  }

  @Test func `in the global scope a layer may take another layer's slot`() throws {
    var configuration = configuration(slots: 1)
    configuration.scope = .global
    var cache = try ExpertCache(configuration)
    let (old, young) = (ExpertID(layer: 1, index: 2), ExpertID(layer: 1, index: 3))
    cache.insert(old)
    cache.insert(young)
    cache.observe(decode([2], layer: 1))
    cache.observe(decode([3], layer: 1))
    let newcomer = ExpertID(layer: 0, index: 2)
    // Sparing is about the newcomer's layer.
    #expect(cache.victim(for: newcomer, sparing: ExpertSet([2, 3])) == old)
    cache.insert(newcomer, replacing: old)
    #expect(cache.residents(ofLayer: 0).members == [2])
    #expect(cache.residents(ofLayer: 1).members == [3])
  }

  @Test func `a configuration that makes no sense is refused`() throws {
    func error(_ change: (inout CacheConfiguration) -> Void) -> CachingError? {
      var changed = configuration()
      change(&changed)
      do throws(CachingError) {
        _ = try ExpertCache(changed)
        return nil
      } catch { return error }
    }
    #expect(error { _ in } == nil)
    #expect(error { $0.eviction = .min } == .offlineRule)
    #expect(error { $0.eviction = .leastStale } == .wrongScope(.leastStale))
    #expect(error { $0.eviction = .static } == .badPopularity(found: 0, expected: 12))
    #expect(error { $0.mrsAlpha = 0 } == .badAlpha(0))
    #expect(error { $0.slots = [2] } == .badSlots([2], layers: 2, experts: 6))
    #expect(error { $0.slots = [2, 7] } == .badSlots([2, 7], layers: 2, experts: 6))
    #expect(error { $0.layers = 0 } == .badShape(layers: 0, experts: 6, activated: 1))
    #expect(error { $0.expertBytes = [1] } == .badExpertBytes(found: 1, expected: 2))
    #expect("\(CachingError.badSlots([2, 7], layers: 2, experts: 6))".contains("7 among them"))
  }
}
