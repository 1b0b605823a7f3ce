import ExpertPrefetching
import ExpertScheduling
import Experts
import TestSupport
import Testing

/// How long a decision takes, in a decode of 64 experts a layer of which 6 are activated and 16
/// resident. A debug build only runs it; a release build (`swift test -c release --filter
/// DecisionTimeTests`) holds it to its limit.
@Suite(.serialized) struct DecisionTimeTests {
  #if DEBUG
    static let runs = 20
    static let limit = 1e9
  #else
    static let runs = 20_000
    static let limit = 20.0
  #endif

  private func microseconds(_ body: (Int) -> Void) -> Double {
    body(0)
    let start = ContinuousClock.now
    for run in 1...Self.runs { body(run) }
    let elapsed = (ContinuousClock.now - start).components
    let microseconds = Double(elapsed.seconds) * 1e6 + Double(elapsed.attoseconds) / 1e12
    return microseconds / Double(Self.runs)
  }

  private func outlooks() -> [LayerOutlook] {
    var random = SeededGenerator(seed: 2)
    return (1...3).map { distance in
      var costs = LayerCosts(cpuPerToken: 40, gpuPerExpert: 12, linkPerExpert: 240)
      costs.cpuPerExpert = 120
      var outlook = LayerOutlook(
        layer: distance, distance: distance, phase: .decode, costs: costs, expertBytes: 5_726_000,
        startsIn: 700 * Double(distance))
      for expert in 0..<64 {
        outlook.probability.append(Double.random(in: 0...0.19, using: &random))
        if expert < 16 { outlook.resident.insert(expert) }
      }
      outlook.expectedLoad = outlook.probability
      outlook.victims = (0..<8).map {
        RatedExpert(expert: ExpertID(layer: distance, index: $0), activationProbability: 0.01)
      }
      return outlook
    }
  }

  @Test func `choosing for three layers of a decode takes at most 20 microseconds`() {
    let layers = outlooks()
    var prefetcher = ImpactPrefetcher(source: HybridScheduler())
    var choices: [PrefetchChoice] = []
    var count = 0
    let time = microseconds { _ in
      prefetcher.choose(
        for: layers, link: LinkOutlook(freeIn: 100, pieceMicroseconds: 90), into: &choices)
      count += choices.count
    }
    print("choose: \(time) µs, \(count / (Self.runs + 1)) copies")
    #expect(time <= Self.limit)
    #expect(count > 0)
  }

  @Test func `forecasting three layers of a decode takes at most 20 microseconds`() {
    var random = SeededGenerator(seed: 2)
    let scores = (0..<64).map { _ in Double.random(in: 0.001...0.1, using: &random) }
    var predictor = RoutingPredictor(layers: 8, experts: 64, activated: 6)
    let time = microseconds { run in
      for distance in 1...3 {
        predictor.predict(distance, from: 0, step: run, scores: scores)
      }
      predictor.learn(step: run, layer: 1, ids: [0, 1, 2, 3, 4, 5], scores: scores)
      predictor.learn(step: run, layer: 2, ids: [0, 1, 2, 3, 4, 5], scores: scores)
      predictor.learn(step: run, layer: 3, ids: [0, 1, 2, 3, 4, 5], scores: scores)
    }
    print("predict and learn: \(time) µs")
    #expect(time <= Self.limit)
  }
}
