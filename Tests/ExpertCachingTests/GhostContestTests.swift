import ExpertCaching
import Experts
import Testing

struct GhostContestTests {
  private static let classical: [EvictionName] = [.lru, .lfu, .lfru, .mrs, .workload]

  // Decode hit rates by capacity, admission and rule.
  private func rates(_ trace: RoutingTrace) throws -> [ReplayResult] {
    let request = ReplayRequest(
      capacities: [0.25, 0.5], evictions: Self.classical + [.auto, .min])
    var statistics = try TraceStatistics(header: trace.header, request: request)
    for event in trace.events { statistics.append(event) }
    return statistics.results().filter { $0.phase == .decode }
  }

  // Three kinds of routing: by topic with drift, short-lived, nearly fixed.
  @Test(arguments: [0, 1, 2], [true, false])
  func `auto is not half a point below the best classical rule`(
    kind: Int, hasScores: Bool
  ) throws {
    var routing = SyntheticRouting(layers: 2, experts: 24, topK: 3)
    routing.topicSpread = [0.8, 0.3, 1.2][kind]
    routing.driftMemory = [0.5, 0.7, 0.1][kind]
    routing.tokenSpread = [0.7, 0.4, 1][kind]
    routing.stepsPerTopic = [120, 1000, 1000][kind]
    routing.hasScores = hasScores
    let results = try rates(routing.trace(promptTokens: 16, decodeSteps: 400, seed: 3))
    let differences = results.filter { $0.eviction == .auto }.map { auto in
      let peers = results.filter {
        $0.capacity == auto.capacity && $0.admission == auto.admission
          && Self.classical.contains($0.eviction)
      }
      return auto.statistics.hitRate - (peers.map(\.statistics.hitRate).max() ?? 1)
    }
    // Single rates of so short a trace are good to a point; the mean of four to half of that.
    #expect(differences.count == 4)
    #expect(differences.reduce(0, +) / 4 > -0.005, "kind \(kind): \(differences)")
  }

  @Test func `auto closes a quarter of the gap between LRU and MIN where scores drift`() throws {
    var routing = SyntheticRouting(layers: 2, experts: 24, topK: 3)
    routing.topicSpread = 0.8
    routing.driftMemory = 0.5
    routing.tokenSpread = 0.7
    let results = try rates(routing.trace(promptTokens: 0, decodeSteps: 400, seed: 9))
    for capacity in [0.25, 0.5] {
      func rate(_ name: EvictionName) -> Double {
        results.first {
          $0.capacity == capacity && $0.admission == .forced && $0.eviction == name
        }?.statistics.hitRate ?? 0
      }
      let closed = (rate(.auto) - rate(.lru)) / (rate(.min) - rate(.lru))
      #expect(closed > 0.25, "at \(capacity): \(closed)")
    }
  }

  @Test func `a replay gives the same hits twice`() throws {
    let trace = SyntheticRouting(layers: 2, experts: 12, topK: 3)
      .trace(promptTokens: 5, decodeSteps: 100, seed: 1)
    #expect(try rates(trace) == rates(trace))
  }
}
