import ExpertCaching
import Experts
import Testing

struct TraceStatisticsTests {
  private func replay(_ trace: RoutingTrace, _ request: ReplayRequest) throws -> [ReplayResult] {
    var statistics = try TraceStatistics(header: trace.header, request: request)
    for event in trace.events { statistics.append(event) }
    #expect(statistics.eventCount == trace.events.count)
    return statistics.results()
  }

  @Test func `every capacity, admission, rule and phase has one row`() throws {
    let trace = SyntheticRouting(layers: 2, experts: 8, topK: 2)
      .trace(promptTokens: 4, decodeSteps: 20, seed: 1)
    let results = try replay(trace, ReplayRequest(capacities: [0.25, 0.5]))
    // All rules but least-stale, two phases, two capacities; LRU has no bypass.
    #expect(results.count == 2 * 2 * (8 + 7))
    for result in results {
      #expect(result.slots == (result.capacity == 0.25 ? 2 : 4))
      #expect(result.statistics.hits <= result.statistics.activated)
      #expect(result.statistics.events == (result.phase == .prefill ? 2 : 40))
    }
    #expect(results.allSatisfy { $0.eviction != .min || $0.ofMIN == 1 })
    #expect(results.allSatisfy { ($0.ofMIN ?? 2) <= 1 })
  }

  @Test(arguments: CacheScope.allCases)
  func `no rule has more hits than MIN, and all capacities of 1 only miss once`(
    scope: CacheScope
  ) throws {
    for seed in 0..<UInt64(4) {
      let trace = SyntheticRouting(layers: 2, experts: 8, topK: 2)
        .trace(promptTokens: 0, decodeSteps: 50, seed: seed)
      let results = try replay(
        trace, ReplayRequest(capacities: [0.25, 0.5, 1], scope: scope))
      let firstUses = Set(trace.events.flatMap { event in event.ids.map { [event.layer, $0] } })
      for result in results {
        #expect(result.ofMIN ?? 2 <= 1, "seed \(seed): \(result)")
        guard result.capacity == 1 else { continue }
        let misses = result.statistics.activated - result.statistics.hits
        #expect(misses == firstUses.count, "seed \(seed): \(result)")
      }
    }
  }

  @Test(arguments: EvictionName.allCases.filter { !$0.isOffline }, CacheScope.allCases)
  func `a cache that plays the trace has the same hits`(
    eviction: EvictionName, scope: CacheScope
  ) throws {
    guard eviction.isDefined(in: scope) else { return }
    let trace = SyntheticRouting(layers: 3, experts: 9, topK: 2)
      .trace(promptTokens: 6, decodeSteps: 60, seed: 6)
    for admission in ReplayRequest(capacities: []).admissions
    where admission == .forced || eviction.hasBypass {
      let results = try replay(
        trace,
        ReplayRequest(
          capacities: [0.4], scope: scope, evictions: [eviction], admissions: [admission]))
      var configuration = CacheConfiguration(
        layers: 3, experts: 9, activated: 2, slotsPerLayer: 4)
      configuration.scope = scope
      configuration.eviction = eviction
      configuration.admission = admission
      var cache = try ExpertCache(configuration)
      for event in trace.events { cache.play(event) }
      #expect(results.map(\.statistics) == [cache.statistics.prefill, cache.statistics.decode])
    }
  }

  @Test func `slots are rounded half away from zero and never none`() {
    #expect(CacheConfiguration.slots(capacity: 0.25, experts: 64) == 16)
    #expect(CacheConfiguration.slots(capacity: 0.25, experts: 10) == 3)
    #expect(CacheConfiguration.slots(capacity: 0.01, experts: 8) == 1)
    #expect(CacheConfiguration.slots(capacity: 1, experts: 8) == 8)
  }

  @Test func `requests and headers that make no sense are refused`() {
    func error(_ request: ReplayRequest, layers: Int = 1) -> CachingError? {
      let header = TraceHeader(
        model: "m", layers: layers, experts: 4, activated: 1, expertBytes: [])
      do throws(CachingError) {
        _ = try TraceStatistics(header: header, request: request)
        return nil
      } catch { return error }
    }
    #expect(error(ReplayRequest(capacities: [0.5])) == nil)
    #expect(error(ReplayRequest(capacities: [1.5])) == .badCapacity(1.5))
    #expect(error(ReplayRequest(capacities: [0])) == .badCapacity(0))
    #expect(error(ReplayRequest(capacities: [0.5], mrsAlpha: 2)) == .badAlpha(2))
    #expect(
      error(ReplayRequest(capacities: [0.5], evictions: [.leastStale]))
        == .wrongScope(.leastStale))
    #expect(
      error(ReplayRequest(capacities: [0.5]), layers: 0)
        == .badShape(layers: 0, experts: 4, activated: 1))
  }
}
