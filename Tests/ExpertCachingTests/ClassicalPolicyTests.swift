import ExpertCaching
import Experts
import Testing

/// The classical replay against plain formulas and against brute force.
struct ClassicalPolicyTests {
  @Test(arguments: [EvictionName.lru, .lfu, .lfru, .mrs, .workload, .min], Admission.allCases)
  func `hits are those of the plain formulas, event by event`(
    eviction: EvictionName, admission: Admission
  ) throws {
    guard admission == .forced || eviction.hasBypass else { return }
    for seed in 0..<UInt64(12) {
      var random = Noise(seed: seed &* 7919)
      var routing = SyntheticRouting(layers: 1, experts: 3 + random.below(8), topK: 1)
      routing.topK = 1 + random.below(min(3, routing.experts))
      routing.hasScores = random.below(2) == 0
      routing.stepsPerTopic = 12
      var trace = routing.trace(
        promptTokens: random.below(6), decodeSteps: 40, seed: seed)
      if random.below(3) == 0 { coarsen(&trace) }
      if random.below(4) == 0 {
        for place in trace.events.indices { trace.events[place].weights = [] }
      }
      for slots in 1...routing.experts {
        let plain = PlainReplay(
          header: trace.header, eviction: eviction, admission: admission, slots: slots)
        #expect(
          try hits(trace, eviction, admission, slots) == plain.hits(trace.events).reduce(0, +),
          "seed \(seed), \(slots) of \(routing.experts) slots")
      }
    }
  }

  @Test(arguments: Admission.allCases)
  func `MIN has the most hits that any choice of residents can have`(admission: Admission) throws {
    for seed in 0..<UInt64(60) {
      var random = Noise(seed: seed)
      let experts = 3 + random.below(3)
      let topK = 1 + random.below(2)
      let events = (0..<9).map { step in
        var ids = Array(0..<experts)
        for place in 0..<topK { ids.swapAt(place, place + random.below(experts - place)) }
        return RoutingEvent(step: step, phase: .decode, layer: 0, ids: Array(ids.prefix(topK)))
      }
      let header = TraceHeader(
        model: "brute", layers: 1, experts: experts, activated: topK, expertBytes: [1])
      let trace = RoutingTrace(header: header, events: events)
      for slots in topK..<experts {
        #expect(
          try hits(trace, .min, admission, slots)
            == mostHits(events, experts: experts, slots: slots, admission: admission),
          "seed \(seed), \(slots) of \(experts) slots")
      }
    }
  }

  @Test func `the classical rules keep the same experts as a worked example`() throws {
    // Slots for 2 of 3 experts. LRU: 0, 1, 0 hits, 2 replaces 1, 1 replaces 0, 0 replaces 2.
    let ids = [0, 1, 0, 2, 1, 0]
    let header = TraceHeader(
      model: "worked", layers: 1, experts: 3, activated: 1, expertBytes: [1])
    let trace = RoutingTrace(
      header: header,
      events: ids.enumerated().map {
        RoutingEvent(step: $0.offset, phase: .decode, layer: 0, ids: [$0.element])
      })
    #expect(try hits(trace, .lru, .forced, 2) == 1)
    // LFU keeps 0, which has been used twice.
    #expect(try hits(trace, .lfu, .forced, 2) == 2)
    // MIN lets 2 pass: 0, 1 and 0 hit.
    #expect(try hits(trace, .min, .bypass, 2) == 3)
    #expect(try hits(trace, .min, .forced, 2) == 2)
  }

  // Equal scores, so that ties decide.
  private func coarsen(_ trace: inout RoutingTrace) {
    for place in trace.events.indices {
      trace.events[place].scores = trace.events[place].scores.map { ($0 * 8).rounded() / 8 }
      trace.events[place].weights = trace.events[place].weights.map { ($0 * 4).rounded() / 4 }
    }
  }

  private func hits(
    _ trace: RoutingTrace, _ eviction: EvictionName, _ admission: Admission, _ slots: Int
  ) throws -> Int {
    let request = ReplayRequest(
      capacities: [Double(slots) / Double(trace.header.experts)], evictions: [eviction],
      admissions: [admission])
    var statistics = try TraceStatistics(header: trace.header, request: request)
    for event in trace.events { statistics.append(event) }
    let results = statistics.results()
    #expect(results.allSatisfy { $0.slots == slots })
    return results.reduce(0) { $0 + $1.statistics.hits }
  }

  // Tries every set of residents after every event: with forced admission those that hold the whole
  // event, with bypass any of residents and activated.
  private func mostHits(
    _ events: [RoutingEvent], experts: Int, slots: Int, admission: Admission
  ) -> Int {
    var best = [0: 0]
    for event in events {
      let used = event.ids.reduce(0) { $0 | 1 << $1 }
      var next: [Int: Int] = [:]
      for (resident, hits) in best {
        let reached = hits + (resident & used).nonzeroBitCount
        let union = resident | used
        for kept in 0..<(1 << experts) where kept & ~union == 0 && kept.nonzeroBitCount <= slots {
          if admission == .forced, kept & used != used { continue }
          next[kept] = max(next[kept] ?? 0, reached)
        }
      }
      best = next
    }
    return best.values.max() ?? 0
  }
}
