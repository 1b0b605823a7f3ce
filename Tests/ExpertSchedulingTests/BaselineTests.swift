import ExpertScheduling
import Experts
import TestSupport
import Testing

@Suite struct BaselineTests {
  /// Loads 5, 1, 3 missing and 2 resident; CPU 1 for each token, GPU 1, a copy 4.
  private func layerCase(_ phase: Phase) -> LayerCase {
    let loads = [5, 1, 3, 2]
    return LayerCase(
      phase: phase,
      experts: loads.enumerated().map {
        ActivatedExpert(index: $0, load: $1, residency: $0 == 3 ? .resident : .missing)
      }, costs: LayerCosts(cpuPerToken: 1, gpuPerExpert: 1, linkPerExpert: 4))
  }

  private func subjects(
    _ name: SchedulerName, _ layerCase: LayerCase, on lane: Lane
  ) -> Set<Int> {
    var scheduler = name.makeScheduler()
    return Set(
      scheduler.plan(for: layerCase).operations.filter { $0.lane == lane }.compactMap {
        if case .expert(let index) = $0.subject { index } else { nil }
      })
  }

  @Test func `kTransformers computes misses on the CPU in decode and copies them in prefill`() {
    #expect(subjects(.ktransformers, layerCase(.decode), on: .cpu) == [0, 1, 2])
    #expect(subjects(.ktransformers, layerCase(.decode), on: .gpu) == [3])
    #expect(subjects(.ktransformers, layerCase(.prefill), on: .link) == [0, 1, 2])
    #expect(subjects(.ktransformers, layerCase(.prefill), on: .cpu) == [])
  }

  @Test func `llama cpp gives a layer to the GPU only where all of it is resident`() {
    var layerCase = layerCase(.prefill)
    #expect(subjects(.llamacpp, layerCase, on: .cpu) == [0, 1, 2, 3])
    for place in 0..<3 { layerCase.experts[place].residency = .resident }
    #expect(subjects(.llamacpp, layerCase, on: .gpu) == [0, 1, 2, 3])
    layerCase.experts[0].residency = .arriving(at: 1)
    #expect(subjects(.llamacpp, layerCase, on: .cpu) == [0, 1, 2, 3])
  }

  @Test func `AdapMoE never uses the CPU`() {
    #expect(subjects(.adapmoe, layerCase(.decode), on: .cpu) == [])
    #expect(subjects(.adapmoe, layerCase(.decode), on: .link) == [0, 1, 2])
  }

  @Test func `FreeToken splits misses by the rates of link and CPU`() {
    // A miss takes the CPU 3 on average and the link 4: 3/7 of three misses, so one, is copied.
    #expect(subjects(.freetoken, layerCase(.prefill), on: .link) == [0])
    #expect(subjects(.freetoken, layerCase(.prefill), on: .cpu) == [1, 2])
    #expect(subjects(.freetoken, layerCase(.prefill), on: .gpu) == [0, 3])
  }

  @Test func `DALI places the most different experts first, each where it would end first`() {
    // |GPU − CPU|: load 1 missing: 5 − 1 = 4; load 3: 2; load 2 resident: 1; load 5: 0.
    // CPU takes 1 (ends 1), then 3 (ends 4; the GPU would end at 5); the resident goes to the GPU
    // (1); 5 would end at 9 on the CPU and at 5 over the link.
    #expect(subjects(.dali, layerCase(.prefill), on: .cpu) == [1, 2])
    #expect(subjects(.dali, layerCase(.prefill), on: .gpu) == [0, 3])
    #expect(subjects(.dali, layerCase(.prefill), on: .link) == [0])
  }

  @Test func `all-cpu leaves even residents to the CPU, all-gpu copies every miss`() {
    #expect(subjects(.allCPU, layerCase(.decode), on: .cpu) == [0, 1, 2, 3])
    #expect(subjects(.allCPU, layerCase(.decode), on: .gpu) == [])
    #expect(subjects(.allGPU, layerCase(.decode), on: .gpu) == [0, 1, 2, 3])
    #expect(subjects(.allGPU, layerCase(.decode), on: .link) == [0, 1, 2])
  }

  @Test func `copies are faster in a plan where the CPU computes nothing`() {
    var layerCase = layerCase(.prefill)
    layerCase.costs.linkPerExpertAlone = 2
    var scheduler = SchedulerName.allGPU.makeScheduler()
    #expect(scheduler.plan(for: layerCase).makespan == 7)
    var paper = PaperScheduler()
    layerCase.experts.removeSubrange(1...2)
    layerCase.costs.cpuPerToken = 100
    #expect(paper.plan(for: layerCase).makespan == 3)
  }

  @Test func `every scheduler has the name that the command line gives it`() {
    #expect(
      SchedulerName.allCases.map(\.rawValue) == [
        "hybrimoe", "hybrimoe-paper", "ktransformers", "llamacpp", "adapmoe", "dali", "freetoken",
        "all-cpu", "all-gpu",
      ])
  }
}
