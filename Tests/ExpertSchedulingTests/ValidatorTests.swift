import ExpertScheduling
import Experts
import TestSupport
import Testing

@Suite struct ValidatorTests {
  @Test func `every scheduler's plans are sound`() {
    var random = SeededGenerator(seed: 8)
    for name in SchedulerName.allCases {
      var scheduler = name.makeScheduler()
      for seed in 0..<150 {
        var layerCase = SmallWorlds.random(count: seed % 20, maximumLoad: 6, &random)
        if seed % 2 == 0 { layerCase.phase = .decode }
        let plan = scheduler.plan(for: layerCase)
        let violations = PlanValidator.violations(of: plan, in: layerCase)
        #expect(violations == [], "\(name.rawValue), case \(seed): \(layerCase)")
      }
    }
  }

  /// A 2 missing, B 1 resident, C 1 on its way, D 1 missing; shared expert first. The plan: the CPU
  /// computes D; A is copied.
  private static func soundPlan() -> (LayerCase, LayerPlan) {
    var costs = LayerCosts(cpuPerToken: 4, gpuPerExpert: 1, linkPerExpert: 3)
    costs.sharedOnGPU = 1
    costs.handshake = 1
    costs.gpuPerLaunch = 0.5
    var layerCase = LayerCase(
      phase: .prefill,
      experts: [
        ActivatedExpert(index: 10, load: 2, residency: .missing),
        ActivatedExpert(index: 11, load: 1, residency: .resident),
        ActivatedExpert(index: 12, load: 1, residency: .arriving(at: 2)),
        ActivatedExpert(index: 13, load: 1, residency: .missing),
      ], costs: costs)
    layerCase.linkFree = 2
    var plan = LayerPlan()
    plan.operations = [
      Operation(.shared, on: .gpu, start: 0, end: 1),
      Operation(.expert(13), on: .cpu, start: 0, end: 4),
      Operation(.expert(10), on: .link, start: 2, end: 5),
      Operation(.expert(11), on: .gpu, start: 1, end: 2.5),
      Operation(.expert(12), on: .gpu, start: 2.5, end: 4),
      Operation(.expert(10), on: .gpu, start: 5, end: 6.5),
    ]
    plan.makespan = 7.5
    plan.lowerBound = 7
    return (layerCase, plan)
  }

  @Test func `a sound plan has no violations`() {
    let (layerCase, plan) = Self.soundPlan()
    #expect(PlanValidator.violations(of: plan, in: layerCase) == [])
  }

  @Test func `every way of breaking a plan is found and named`() {
    let breaks: [(String, (inout LayerPlan) -> Void)] = [
      ("expert 13 is computed 0 times", { $0.operations.remove(at: 1) }),
      ("expert 11 is computed 2 times", { $0.operations.append($0.operations[3]) }),
      ("expert 99 is on the cpu lane, but was not", { $0.operations[1].subject = .expert(99) }),
      ("expert 10, a miss, is copied 0 times", { $0.operations.remove(at: 2) }),
      ("expert 10, a miss, is copied 2 times", { $0.operations.append($0.operations[2]) }),
      ("expert 11 is resident, but the plan copies it", { $0.operations[2].subject = .expert(11) }),
      ("expert 12 is on its way, but the plan", { $0.operations[2].subject = .expert(12) }),
      ("expert 12 starts on the GPU at 1.5, but arrives at 2.0", { $0.operations[4].start = 1.5 }),
      ("expert 10 starts on the GPU at 4.0, but its copy ends", { $0.operations[5].start = 4 }),
      ("starts on the gpu lane at 2.25, but the lane is", { $0.operations[4].start = 2.25 }),
      ("expert 10 starts on the link lane at 1.0, but", { $0.operations[2].start = 1 }),
      ("the shared expert is computed 0 times", { $0.operations.removeFirst() }),
      ("the shared expert is on the cpu lane", { $0.operations[0].lane = .cpu }),
      ("the shared expert is not the first", { $0.operations.swapAt(0, 3) }),
      ("expert 13 takes 3.0 on the cpu lane instead of 4.0", { $0.operations[1].end = 3 }),
      ("expert 10 takes 2.0 on the link lane instead of 3.0", { $0.operations[2].end = 4 }),
      ("expert 11 takes 1.0 on the gpu lane instead of 1.5", { $0.operations[3].end = 2 }),
      ("the shared expert takes 0.5 on the gpu", { $0.operations[0].end = 0.5 }),
      ("the makespan is 6.5 instead of 7.5", { $0.makespan = 6.5 }),
      ("the lower bound 8.0 is above the makespan 7.5", { $0.lowerBound = 8 }),
      ("the makespan is nan", { $0.makespan = .nan }),
      ("starts on the cpu lane at nan", { $0.operations[1].start = .nan }),
    ]
    for (words, breakPlan) in breaks {
      let (layerCase, sound) = Self.soundPlan()
      var plan = sound
      breakPlan(&plan)
      let violations = PlanValidator.violations(of: plan, in: layerCase)
      #expect(violations.contains { $0.description.contains(words) }, "\(words): \(violations)")
    }
  }
}
