import ExpertScheduling
import Experts
import TestSupport

/// Plans of the exact scheduler against the exhaustive search, which shares no code with it.
struct Exactness {
  var cases = 0
  /// Plans that are not optimal, or do not say so.
  var mismatches = 0

  /// Cases with competing lanes: small whole numbers, any residency, offsets and arrivals.
  static func harsh(cases: Int, maximumLoad: Int, seed: UInt64) -> Exactness {
    var result = Exactness()
    for index in 0..<cases {
      var random = SeededGenerator(seed: seed &+ UInt64(index))
      let count = Int.random(in: 1...10, using: &random)
      var layerCase = SmallWorlds.random(count: count, maximumLoad: maximumLoad, &random)
      if maximumLoad == 1 {
        let load = Int.random(in: 1...6, using: &random)
        for place in layerCase.experts.indices { layerCase.experts[place].load = load }
      }
      result.compare(layerCase)
    }
    return result
  }

  /// Two to ten experts of real layers.
  static func real(cases: Int, seed: UInt64) -> Exactness {
    var result = Exactness()
    for index in 0..<cases {
      let shapes = LayerShape.published
      result.compare(
        PlanQuality.smallCase(shapes[index % shapes.count], seed: seed &+ UInt64(index)))
    }
    return result
  }

  private mutating func compare(_ layerCase: LayerCase) {
    var (ours, oracle) = (HybridScheduler(), ExhaustiveScheduler())
    let plan = ours.plan(for: layerCase)
    let best = oracle.plan(for: layerCase).makespan
    cases += 1
    let isOptimal = abs(plan.makespan - best) <= 1e-9 * max(1, best)
    if !isOptimal || plan.lowerBound != plan.makespan { mismatches += 1 }
  }
}

/// Whether a better machine ever makes a heuristic plan longer, and by how much at most.
struct Monotonicity {
  var comparisons = 0
  var longer = 0
  var worstPerCent = 0.0

  /// Whole layers of all shapes, each with links, CPUs and GPUs that are a tenth faster and with
  /// one more resident.
  init(cases: Int, seed: UInt64) {
    var ours = HybridScheduler()
    for index in 0..<cases {
      var world = LayerWorld(seed: seed &+ UInt64(index))
      let shape = LayerShape.published[index % LayerShape.published.count]
      let loads = world.loads(shape, tokens: [8, 32, 128, 512, 2048][index % 5])
      let layerCase = world.layerCase(world.costs(shape), loads: loads)
      let before = ours.makespan(of: layerCase)
      for better in Self.improved(layerCase) {
        let excess = (ours.makespan(of: better) / before - 1) * 100
        comparisons += 1
        if excess > 1e-7 { longer += 1 }
        worstPerCent = max(worstPerCent, excess)
      }
    }
  }

  private static func improved(_ layerCase: LayerCase) -> [LayerCase] {
    var (link, cpu, gpu, resident) = (layerCase, layerCase, layerCase, layerCase)
    link.costs.linkPerExpert *= 0.9
    link.costs.linkPerExpertAlone *= 0.9
    cpu.costs.cpuFirst *= 0.9
    cpu.costs.cpuPerExpert *= 0.9
    cpu.costs.cpuPerToken *= 0.9
    gpu.costs.gpuPerLaunch *= 0.9
    gpu.costs.gpuPerExpert *= 0.9
    gpu.costs.gpuPerToken *= 0.9
    if let place = resident.experts.firstIndex(where: { $0.residency == .missing }) {
      resident.experts[place].residency = .resident
    }
    return [link, cpu, gpu, resident]
  }
}
