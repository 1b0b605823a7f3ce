import ExpertScheduling
import Experts
import TestSupport
import Testing

@Suite struct OptimalityTests {
  private func expectOptimal(_ layerCase: LayerCase, _ comment: Comment? = nil) {
    var (ours, oracle) = (HybridScheduler(), ExhaustiveScheduler())
    let plan = ours.plan(for: layerCase)
    let best = oracle.plan(for: layerCase).makespan
    #expect(isSame(plan.makespan, best), comment ?? "\(layerCase)")
    #expect(plan.lowerBound == plan.makespan, comment ?? "\(layerCase)")
    #expect(isSame(ours.makespan(of: layerCase), best), comment ?? "\(layerCase)")
  }

  @Test func `the oracle is as good as trying every order`() {
    var random = SeededGenerator(seed: 1)
    for seed in 0..<150 {
      let layerCase = SmallWorlds.random(count: 1 + seed % 4, maximumLoad: 5, &random)
      var oracle = ExhaustiveScheduler()
      let plan = oracle.plan(for: layerCase)
      #expect(isSame(plan.makespan, bruteForceMakespan(layerCase)), "case \(seed): \(layerCase)")
      #expect(PlanValidator.violations(of: plan, in: layerCase) == [], "case \(seed)")
    }
  }

  @Test(arguments: 0...5)
  func `equal loads are planned optimally in every small world`(count: Int) {
    SmallWorlds.forEachEqualLoad(count: count) { expectOptimal($0) }
  }

  @Test func `equal loads are planned optimally with up to ten experts`() {
    var random = SeededGenerator(seed: 2)
    for seed in 0..<60 {
      var layerCase = SmallWorlds.random(count: 5 + seed % 6, maximumLoad: 1, &random)
      let load = Int.random(in: 1...6, using: &random)
      for place in layerCase.experts.indices { layerCase.experts[place].load = load }
      expectOptimal(layerCase, "case \(seed): \(layerCase)")
    }
  }

  @Test func `unequal loads are planned optimally with up to ten experts`() {
    var random = SeededGenerator(seed: 3)
    for seed in 0..<200 {
      let count = seed < 160 ? 2 + seed % 5 : 7 + seed % 4
      expectOptimal(
        SmallWorlds.random(count: count, maximumLoad: 9, &random), "case \(seed)")
    }
  }

  @Test func `an exact walk over many experts agrees with the exact search over few`() {
    // The walk claims to be exact where GPU times are even; the search never relies on that.
    var random = SeededGenerator(seed: 4)
    for seed in 0..<100 {
      var layerCase = SmallWorlds.random(count: 2 + seed % 6, maximumLoad: 9, &random)
      layerCase.costs.gpuPerToken = 0
      expectOptimal(layerCase, "case \(seed): \(layerCase)")
    }
  }

  @Test func `a layer without experts costs the handshake and the shared expert`() {
    var layerCase = LayerCase(
      phase: .decode, experts: [],
      costs: LayerCosts(cpuPerToken: 1, gpuPerExpert: 1, linkPerExpert: 1))
    layerCase.costs.handshake = 5
    layerCase.gpuFree = 7
    var ours = HybridScheduler()
    #expect(ours.plan(for: layerCase).makespan == 5)
    layerCase.costs.sharedOnGPU = 2
    #expect(ours.plan(for: layerCase).makespan == 14)
    #expect(ours.plan(for: layerCase).operations.map(\.subject) == [.shared])
  }

  @Test func `a busy GPU does not delay a layer that never uses it`() {
    var layerCase = LayerCase(
      phase: .decode, experts: [ActivatedExpert(index: 0, load: 1, residency: .missing)],
      costs: LayerCosts(cpuPerToken: 1, gpuPerExpert: 1, linkPerExpert: 1))
    layerCase.gpuFree = 100
    for name in [SchedulerName.hybrimoe, .allCPU] {
      var scheduler = name.makeScheduler()
      #expect(scheduler.plan(for: layerCase).makespan == 1)
    }
  }

  @Test func `copies wait for those on their way even where the case does not say so`() {
    var layerCase = LayerCase(
      phase: .decode,
      experts: [
        ActivatedExpert(index: 0, load: 1, residency: .arriving(at: 10)),
        ActivatedExpert(index: 1, load: 1, residency: .missing),
      ], costs: LayerCosts(cpuPerToken: 100, gpuPerExpert: 1, linkPerExpert: 4))
    layerCase.linkFree = 0
    var ours = HybridScheduler()
    let plan = ours.plan(for: layerCase)
    #expect(plan.operations.first { $0.lane == .link }?.start == 10)
    #expect(plan.makespan == 15)
    #expect(PlanValidator.violations(of: plan, in: layerCase) == [])
  }
}
