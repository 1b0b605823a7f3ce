import ExpertScheduling
import Experts
import TestSupport
import Testing

@Suite struct QualityTests {
  private static let others: [SchedulerName] = [
    .hybrimoePaper, .dali, .freetoken, .allCPU, .allGPU,
  ]

  private func expectNotSlower(
    _ makespan: Double, than others: [SchedulerName], _ layerCase: LayerCase, _ seed: Int
  ) {
    for name in others {
      var other = name.makeScheduler()
      let theirs = other.plan(for: layerCase).makespan
      #expect(makespan <= theirs * (1 + 1e-9), "seed \(seed): \(name.rawValue) is faster")
    }
  }

  private func smallCase(_ shape: LayerShape, seed: Int) -> LayerCase {
    var world = LayerWorld(seed: UInt64(seed))
    var loads = world.loads(shape, tokens: [16, 64, 256, 1024][seed % 4])
    loads.shuffle(using: &world.random)
    let count = Int.random(in: 2...10, using: &world.random)
    return world.layerCase(world.costs(shape), loads: Array(loads.prefix(count)))
  }

  @Test func `without the exact solver real layers stay within 3 and 10 per cent`() {
    var (mean, count) = (0.0, 0)
    for (number, shape) in LayerShape.published.enumerated() {
      for round in 0..<40 {
        let seed = number * 1000 + round
        let layerCase = smallCase(shape, seed: seed)
        var (exact, quick) = (HybridScheduler(), HybridScheduler(usesExactSolver: false))
        let plan = quick.plan(for: layerCase)
        let excess = plan.makespan / exact.makespan(of: layerCase) - 1
        #expect(excess <= 0.1, "\(shape.name), seed \(seed)")
        #expect(excess >= -1e-9, "\(shape.name), seed \(seed): better than optimal")
        #expect(PlanValidator.violations(of: plan, in: layerCase) == [], "seed \(seed)")
        expectNotSlower(plan.makespan, than: Self.others, layerCase, seed)
        (mean, count) = (mean + excess, count + 1)
      }
    }
    #expect(mean / Double(count) <= 0.03)
  }

  @Test func `large layers are never slower than any other rule and close to the bound`() {
    var (mean, count) = (0.0, 0)
    for (number, shape) in LayerShape.published.enumerated() {
      for tokens in [8, 128, 1024] {
        let seed = number * 10_000 + tokens
        var world = LayerWorld(seed: UInt64(seed))
        let layerCase = world.layerCase(
          world.costs(shape), loads: world.loads(shape, tokens: tokens))
        var ours = HybridScheduler()
        let plan = ours.plan(for: layerCase)
        #expect(PlanValidator.violations(of: plan, in: layerCase) == [], "seed \(seed)")
        expectNotSlower(plan.makespan, than: SchedulerName.allCases, layerCase, seed)
        (mean, count) = (mean + plan.makespan / plan.lowerBound - 1, count + 1)
      }
    }
    #expect(mean / Double(count) <= 0.03)
  }

  @Test func `no rule is faster in any small world`() {
    var random = SeededGenerator(seed: 5)
    for seed in 0..<300 {
      let layerCase = SmallWorlds.random(count: seed % 17, maximumLoad: 9, &random)
      for usesExactSolver in [true, false] {
        var ours = HybridScheduler(usesExactSolver: usesExactSolver)
        let others = SchedulerName.allCases.filter { $0 != .hybrimoe }
        expectNotSlower(ours.makespan(of: layerCase), than: others, layerCase, seed)
      }
    }
  }

  @Test func `the lower bound is never above the optimum`() {
    var random = SeededGenerator(seed: 6)
    for seed in 0..<600 {
      let layerCase = SmallWorlds.random(count: seed % 9, maximumLoad: 12, &random)
      var exact = HybridScheduler()
      let optimum = exact.makespan(of: layerCase)
      let bound = LowerBound.of(layerCase)
      #expect(bound <= optimum * (1 + 1e-9), "seed \(seed): \(layerCase)")
      #expect(bound >= layerCase.costs.handshake, "seed \(seed)")
    }
  }

  @Test func `what plans say of themselves agrees`() {
    var random = SeededGenerator(seed: 7)
    var ours = HybridScheduler()
    var plan = LayerPlan()
    for seed in 0..<200 {
      let layerCase = SmallWorlds.random(count: seed % 30, maximumLoad: 20, &random)
      ours.schedule(layerCase, into: &plan)
      #expect(isSame(plan.makespan, ours.makespan(of: layerCase)), "seed \(seed)")
      #expect(ours.quickMakespan(of: layerCase) >= plan.makespan * (1 - 1e-9), "seed \(seed)")
      // A scheduler that has planned other layers plans as a new one does.
      var new = HybridScheduler()
      #expect(new.plan(for: layerCase) == plan, "seed \(seed)")
    }
  }
}
