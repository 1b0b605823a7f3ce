import ExpertScheduling
import Experts
import Testing

@Suite struct GoldenCaseTests {
  /// The paper's Figure 5: A1 B1 C3 missing, D4 E1 resident; indices 0 to 4.
  static func figure5(shared: Double, gpu: Double) -> LayerCase {
    var costs = LayerCosts(cpuPerToken: 1, gpuPerExpert: gpu, linkPerExpert: 3)
    costs.sharedOnGPU = shared
    let loads = [1, 1, 3, 4, 1]
    return LayerCase(
      phase: .prefill,
      experts: loads.enumerated().map {
        ActivatedExpert(index: $0, load: $1, residency: $0 < 3 ? .missing : .resident)
      }, costs: costs)
  }

  @Test func `the paper's rule gives the plan of its Figure 5`() {
    var scheduler = PaperScheduler()
    let plan = scheduler.plan(for: Self.figure5(shared: 2, gpu: 1))
    let onCPU = plan.operations.filter { $0.lane == .cpu }.map(\.subject)
    let onGPU = plan.operations.filter { $0.lane == .gpu }.map(\.subject)
    let onLink = plan.operations.filter { $0.lane == .link }.map(\.subject)
    #expect(onCPU == [.expert(0), .expert(1), .expert(4)])
    #expect(onGPU == [.shared, .expert(3), .expert(2)])
    #expect(onLink == [.expert(2)])
    #expect(plan.makespan == 4)
  }

  @Test(arguments: [(2.0, 1.0, 4.0), (1, 2, 5), (2, 2, 6)])
  func `the three published cases end when they should`(
    shared: Double, gpu: Double, makespan: Double
  ) {
    var scheduler = PaperScheduler()
    #expect(scheduler.plan(for: Self.figure5(shared: shared, gpu: gpu)).makespan == makespan)
  }

  @Test func `ours is optimal in the three published cases`() {
    for (shared, gpu) in [(2.0, 1.0), (1, 2), (2, 2)] {
      let layerCase = Self.figure5(shared: shared, gpu: gpu)
      var (ours, oracle) = (HybridScheduler(), ExhaustiveScheduler())
      let plan = ours.plan(for: layerCase)
      #expect(plan.makespan == oracle.plan(for: layerCase).makespan)
      #expect(plan.lowerBound == plan.makespan)
    }
  }
}
