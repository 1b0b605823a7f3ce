// The oracle of the tests: all assignments, one after another, each played in the plainest way. It
// shares no search, no sorting and no sums with the schedulers it judges.

import Experts

/// The optimum, found by looking at every assignment: slow and simple.
public struct ExhaustiveScheduler: LayerScheduler {
  /// The largest layer that is accepted.
  public static let largestCount = 20

  public init() {}

  /// - Precondition: at most `largestCount` experts.
  /// - Complexity: O(2^n × n log n), with allocations.
  public mutating func schedule(_ layerCase: LayerCase, into plan: inout LayerPlan) {
    let count = layerCase.experts.count
    precondition(count <= Self.largestCount, "too many experts for the exhaustive search")
    var best = 0
    var bestMakespan = Double.infinity
    for assignment in 0..<(1 << count) {
      let makespan = Self.makespan(of: assignment, in: layerCase)
      if makespan < bestMakespan { (best, bestMakespan) = (assignment, makespan) }
    }
    Self.write(best, of: layerCase, into: &plan)
    plan.lowerBound = plan.makespan
  }

  // The experts that an assignment (a bit for each expert: on the GPU) gives to the GPU, in the
  // order in which they can be ready, with that time.
  private static func served(
    _ assignment: Int, _ layerCase: LayerCase
  ) -> [(expert: ActivatedExpert, ready: Double)] {
    let costs = layerCase.costs
    let usesCPU = assignment != (1 << layerCase.experts.count) - 1
    let linkCost = usesCPU ? costs.linkPerExpert : costs.linkPerExpertAlone
    var served: [(expert: ActivatedExpert, ready: Double)] = []
    var copied: [ActivatedExpert] = []
    for (place, expert) in layerCase.experts.enumerated() where assignment >> place & 1 == 1 {
      switch expert.residency {
      case .resident: served.append((expert, 0))
      case .arriving(let time): served.append((expert, time))
      case .missing: copied.append(expert)
      }
    }
    // Johnson's rule: equal copies, the longest computation first.
    copied.sort { costs.gpu(load: $0.load) > costs.gpu(load: $1.load) }
    for (place, expert) in copied.enumerated() {
      served.append((expert, layerCase.linkStart + Double(place + 1) * linkCost))
    }
    served.sort { $0.ready < $1.ready }
    return served
  }

  private static func makespan(of assignment: Int, in layerCase: LayerCase) -> Double {
    let costs = layerCase.costs
    var end = 0.0
    var clock = layerCase.gpuFree + costs.sharedOnGPU
    if costs.sharedOnGPU > 0 { end = clock }
    var residentsAreLaunched = false
    for (expert, ready) in served(assignment, layerCase) {
      clock = max(clock, ready) + costs.gpu(load: expert.load)
      if expert.residency != .resident || !residentsAreLaunched { clock += costs.gpuPerLaunch }
      if expert.residency == .resident { residentsAreLaunched = true }
      end = max(end, clock)
    }
    clock = layerCase.cpuFree + costs.cpuFirst
    for (place, expert) in layerCase.experts.enumerated() where assignment >> place & 1 == 0 {
      clock += costs.cpu(load: expert.load)
      end = max(end, clock)
    }
    return end + costs.handshake
  }

  private static func write(
    _ assignment: Int, of layerCase: LayerCase, into plan: inout LayerPlan
  ) {
    let experts = layerCase.experts
    var writer = PlanWriter(
      layerCase, linkStart: layerCase.linkStart,
      usesCPU: assignment != (1 << experts.count) - 1, plan: &plan)
    for (place, expert) in experts.enumerated() where assignment >> place & 1 == 0 {
      writer.compute(onCPU: expert, into: &plan)
    }
    let served = served(assignment, layerCase)
    for (expert, _) in served where expert.residency == .missing {
      _ = writer.copy(expert, into: &plan)
    }
    for (expert, ready) in served {
      writer.compute(onGPU: expert, readyAt: ready, into: &plan)
    }
    writer.finish(&plan)
  }
}
