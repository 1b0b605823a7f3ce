import ExpertScheduling
import Experts
import TestSupport

/// How far the plans without the exact solver are from what is known: the optimum for up to ten
/// experts, the lower bound beyond.
struct PlanQuality {
  var cases = 0
  var meanExcess = 0.0
  var worstExcess = 0.0
  var worstSeed: UInt64 = 0
  var optimal = 0
  /// Plans that the validator refuses, ours and theirs, and bounds above the optimum.
  var unsound = 0
  var slowerThanAnother = 0

  /// Whether the scheduler under test may search exactly.
  var usesExactSolver = false

  static func small(_ shape: LayerShape, cases: Int, seed: UInt64) -> PlanQuality {
    var quality = PlanQuality()
    var exact = HybridScheduler()
    for index in 0..<cases {
      let seed = seed &+ UInt64(index)
      let layerCase = smallCase(shape, seed: seed)
      let optimum = exact.makespan(of: layerCase)
      quality.add(layerCase, best: optimum, seed: seed, isOptimum: true)
    }
    return quality.finished()
  }

  static func large(
    _ shape: LayerShape, cases: Int, seed: UInt64, usesExactSolver: Bool = false
  ) -> PlanQuality {
    var quality = PlanQuality()
    quality.usesExactSolver = usesExactSolver
    for index in 0..<cases {
      let seed = seed &+ UInt64(index)
      var world = LayerWorld(seed: seed)
      let tokens = [8, 32, 128, 512, 2048][index % 5]
      let loads = world.loads(shape, tokens: tokens)
      let layerCase = world.layerCase(world.costs(shape), loads: loads)
      quality.add(layerCase, best: nil, seed: seed, isOptimum: false)
    }
    return quality.finished()
  }

  /// Small whole numbers with lanes that compete: harsher than any real layer.
  static func harsh(
    cases: Int, counts: ClosedRange<Int>, seed: UInt64, usesExactSolver: Bool = false
  ) -> PlanQuality {
    var quality = PlanQuality()
    quality.usesExactSolver = usesExactSolver
    var exact = HybridScheduler()
    for index in 0..<cases {
      let seed = seed &+ UInt64(index)
      var random = SeededGenerator(seed: seed)
      let count = Int.random(in: counts, using: &random)
      let layerCase = SmallWorlds.random(count: count, maximumLoad: 20, &random)
      let best = count <= 10 ? exact.makespan(of: layerCase) : nil
      quality.add(layerCase, best: best, seed: seed, isOptimum: count <= 10)
    }
    return quality.finished()
  }

  /// Two to ten experts of a layer.
  static func smallCase(_ shape: LayerShape, seed: UInt64) -> LayerCase {
    var world = LayerWorld(seed: seed)
    let tokens = [4, 16, 64, 256, 1024].randomElement(using: &world.random)!
    var loads = world.loads(shape, tokens: tokens)
    loads.shuffle(using: &world.random)
    let count = Int.random(in: 2...10, using: &world.random)
    return world.layerCase(world.costs(shape), loads: Array(loads.prefix(count)))
  }

  private mutating func add(
    _ layerCase: LayerCase, best: Double?, seed: UInt64, isOptimum: Bool
  ) {
    var ours = HybridScheduler(usesExactSolver: usesExactSolver)
    let plan = ours.plan(for: layerCase)
    let reference = best ?? plan.lowerBound
    let excess = reference > 0 ? plan.makespan / reference - 1 : 0
    cases += 1
    meanExcess += excess
    if excess > worstExcess { (worstExcess, worstSeed) = (excess, seed) }
    if excess < 1e-9 { optimal += 1 }
    if isOptimum && LowerBound.of(layerCase) > reference * (1 + 1e-9) { unsound += 1 }
    if !PlanValidator.violations(of: plan, in: layerCase).isEmpty { unsound += 1 }
    for name in [SchedulerName.hybrimoePaper, .dali, .freetoken, .allCPU, .allGPU] {
      var other = name.makeScheduler()
      let theirs = other.plan(for: layerCase)
      if !PlanValidator.violations(of: theirs, in: layerCase).isEmpty { unsound += 1 }
      if plan.makespan > theirs.makespan * (1 + 1e-9) { slowerThanAnother += 1 }
    }
  }

  private func finished() -> PlanQuality {
    var result = self
    result.meanExcess /= Double(max(1, cases))
    return result
  }
}
