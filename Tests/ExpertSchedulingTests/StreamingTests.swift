import ExpertScheduling
import Experts
import TestSupport
import Testing

@Suite struct `The streaming scheduler` {
  private func randomCase(_ random: inout SeededGenerator) -> LayerCase {
    var costs = LayerCosts(
      cpuPerToken: Double.random(in: 0.2...2, using: &random), gpuPerExpert: 0.2,
      linkPerExpert: Double.random(in: 1...6, using: &random))
    costs.cpuFirst = 0.5
    costs.gpuPerLaunch = 0.1
    costs.handshake = 0.3
    let experts = (0..<Int.random(in: 1...14, using: &random)).map {
      ActivatedExpert(
        index: $0, load: Int.random(in: 1...9, using: &random),
        residency: Bool.random(using: &random) ? .resident : .missing)
    }
    var layerCase = LayerCase(phase: .prefill, experts: experts, costs: costs)
    layerCase.linkFree = Double.random(in: 0...2, using: &random)
    return layerCase
  }

  /// What the scheduler is to make small, computed from a plan alone.
  private func score(
    _ plan: LayerPlan, _ layerCase: LayerCase, _ ahead: StreamingScheduler.Ahead, price: Double
  ) -> Double {
    let lastCopy = plan.operations.reduce(layerCase.linkFree) {
      $1.lane == .link ? max($0, $1.end) : $0
    }
    return plan.makespan - price * min(max(0, plan.makespan + ahead.gap - lastCopy), ahead.room)
  }

  @Test func `without room its plans are the shortest`() {
    var random = SeededGenerator(seed: 5)
    var shortest = HybridScheduler()
    var streaming = StreamingScheduler()
    for _ in 0..<200 {
      let layerCase = randomCase(&random)
      #expect(streaming.plan(for: layerCase) == shortest.plan(for: layerCase))
    }
  }

  @Test func `with room its plans are valid and never worse at a known price`() {
    var random = SeededGenerator(seed: 6)
    var shortest = HybridScheduler()
    var streaming = StreamingScheduler()
    var isLonger = false
    for world in 0..<300 {
      let layerCase = randomCase(&random)
      let price = Double.random(in: 0...0.9, using: &random)
      streaming.ahead = .init(room: Double.random(in: 1...12, using: &random), gap: 1, price: price)
      let plan = streaming.plan(for: layerCase)
      let other = shortest.plan(for: layerCase)
      #expect(PlanValidator.violations(of: plan, in: layerCase).isEmpty, "world \(world)")
      let score = score(plan, layerCase, streaming.ahead, price: price)
      #expect(
        score <= self.score(other, layerCase, streaming.ahead, price: price) + 1e-9,
        "world \(world) of seed 6")
      isLonger = isLonger || plan.makespan > other.makespan + 1e-9
    }
    #expect(isLonger)
  }
}
