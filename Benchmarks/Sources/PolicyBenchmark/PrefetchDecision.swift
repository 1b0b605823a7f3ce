import CAllocationCount
import ExpertPrefetching
import ExpertScheduling
import Experts
import TestSupport

/// A decision, its time and its allocations in the steady state.
struct TimedDecision {
  var title: String
  var nanoseconds: Double
  var allocations: Int
}

/// What the prefetcher does behind each layer of a decode step.
struct PrefetchDecision {
  let title: String
  /// Gives the decision as a closure that is called again and again with the run's number.
  let prepare: @Sendable () -> (Int) -> Void

  static let all = [
    PrefetchDecision(title: "choose for three layers", prepare: choosing),
    PrefetchDecision(title: "predict and learn, 3 layers", prepare: forecasting),
  ]

  func timed() -> TimedDecision {
    let decide = prepare()
    for run in 0..<200 { decide(run) }
    let runs = 5000
    let before = allocation_count()
    let clock = ContinuousClock()
    let start = clock.now
    for run in 200..<(200 + runs) { decide(run) }
    let nanoseconds = Self.nanoseconds(start.duration(to: clock.now)) / Double(runs)
    return TimedDecision(
      title: title, nanoseconds: nanoseconds, allocations: Int(allocation_count() - before))
  }

  static func nanoseconds(_ duration: Duration) -> Double {
    let parts = duration.components
    return Double(parts.seconds) * 1e9 + Double(parts.attoseconds) / 1e9
  }

  @Sendable private static func choosing() -> (Int) -> Void {
    let layers = outlooks()
    var prefetcher = ImpactPrefetcher(source: HybridScheduler())
    var choices: [PrefetchChoice] = []
    return { _ in
      prefetcher.choose(
        for: layers, link: LinkOutlook(freeIn: 100, pieceMicroseconds: 90), into: &choices)
    }
  }

  @Sendable private static func forecasting() -> (Int) -> Void {
    var random = SeededGenerator(seed: 2)
    let scores = (0..<64).map { _ in Double.random(in: 0.001...0.1, using: &random) }
    let ids = [0, 1, 2, 3, 4, 5]
    var predictor = RoutingPredictor(layers: 8, experts: 64, activated: 6)
    return { run in
      for distance in 1...3 {
        predictor.predict(distance, from: 0, step: run, scores: scores)
      }
      for layer in 1...3 { predictor.learn(step: run, layer: layer, ids: ids, scores: scores) }
    }
  }

  private static func outlooks() -> [LayerOutlook] {
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
}
