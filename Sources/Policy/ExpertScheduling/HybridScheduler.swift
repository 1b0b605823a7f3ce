// Intuition: a miss can be computed where it lies (by the CPU) or carried to where computing is
// cheap (over the link to the GPU), and both can go on at once; an idle CPU can even relieve the
// GPU of residents. The best plan is the one in which no lane waits for another.
//
// Rule: where it only matters how many experts of a kind the GPU computes, the best numbers are
// found by one walk and are proven optimal. Otherwise up to ten experts are solved by branch and
// bound, and up to 24 as far as a fixed number of steps goes. With more than ten the walk's result,
// the rounded lower bound and DALI's rule are starting points, improved expert by expert; the lower
// bound says how far from optimal the result can be.
//
// The walk's family holds the plans of the paper's rule and of FreeToken and those that leave all
// to one processor, so the result is never slower than any of these.
//
// Rejected: the paper's greedy alone (it commits a lane without knowing what it will be needed
// for), and a general solver (planning is on the critical path: microseconds, no allocation).

import Experts

/// Our scheduler: optimal where that can be proven in time, and never slower in a layer than
/// leaving all to the CPU, copying all, or the rules of the paper, DALI and FreeToken.
public struct HybridScheduler: LayerScheduler {
  /// Whether branch and bound may be used where loads differ: it always ends with up to ten
  /// experts, and may end with up to 24.
  public var usesExactSolver: Bool

  private var layer = SortedLayer()
  private var onGPU: [Bool] = []
  private var candidates = CandidateSearch()
  private var writer = AssignmentWriter()

  public init(usesExactSolver: Bool = true) { self.usesExactSolver = usesExactSolver }

  /// Plans one layer; the plan's `lowerBound` equals its makespan where it is proven optimal.
  ///
  /// - Complexity: O(n) for equal loads; up to 2^10 assignments for ten experts or fewer; otherwise
  ///   O(n log n) and a fixed number of improving steps. No allocation in the steady state.
  public mutating func schedule(_ layerCase: LayerCase, into plan: inout LayerPlan) {
    layer.take(layerCase)
    let (_, bound) = search()
    writer.write(layer, of: layerCase, onGPU: onGPU, into: &plan)
    plan.lowerBound = bound.map { min($0 + layer.handshake, plan.makespan) } ?? plan.makespan
  }

  /// The makespan of the plan that `schedule` would write, without writing it: what the prefetcher
  /// asks thousands of times.
  public mutating func makespan(of layerCase: LayerCase) -> Double {
    layer.take(layerCase)
    return search().end + layer.handshake
  }

  /// The makespan of the best plan of the walk's family alone: at least `makespan(of:)` and the
  /// same where that needs no further search; for questions about large layers that must be cheap.
  ///
  /// - Complexity: O(n) for each expert on its way, after sorting; no allocation.
  public mutating func quickMakespan(of layerCase: LayerCase) -> Double {
    layer.take(layerCase)
    return ThresholdSearch(layer).end + layer.handshake
  }

  // Leaves the best assignment in `onGPU`; returns its end without the handshake, and a bound where
  // the assignment is not known to be optimal.
  private mutating func search() -> (end: Double, bound: Double?) {
    let threshold = ThresholdSearch(layer)
    threshold.fill(&onGPU, layer)
    if ThresholdSearch.isExact(layer) { return (threshold.end, nil) }
    if usesExactSolver && layer.count <= BranchAndBound.largestCount {
      let exact = BranchAndBound(layer, knownEnd: threshold.end, price: 0.5)
      exact.fill(&onGPU, layer)
      return (exact.end, nil)
    }
    let searchesFurther = usesExactSolver && layer.count <= BranchAndBound.largestLimitedCount
    var (end, bound) = candidates.search(
      layer, &onGPU, knownEnd: threshold.end,
      budget: searchesFurther ? LocalSearch.smallBudget : LocalSearch.budget)
    if searchesFurther && bound < end {
      let limited = BranchAndBound(layer, knownEnd: end, price: candidates.price)
      limited.fill(&onGPU, layer)
      end = limited.end
      if limited.isComplete { return (end, nil) }
    }
    return (end, bound * (1 + 1e-9) >= end ? nil : bound)
  }
}
