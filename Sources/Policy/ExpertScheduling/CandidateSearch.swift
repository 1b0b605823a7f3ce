import Experts

/// The search for layers that are too large to solve: several starts, the best improved.
///
/// The starts are the best plan of the walk's family, the assignment behind the lower bound,
/// DALI's, and in smaller layers the family's best for every number of copies, because a single
/// move or swap cannot cross from one number to another without passing a worse plan.
struct CandidateSearch {
  /// In layers up to this size every start is improved; in larger ones the starts end up about as
  /// good, and only the best is worth the time.
  static let manyStartsCount = 24

  /// The CPU's price in the best lower bound.
  var price: Double { relaxation.best.price }

  private var relaxation = Relaxation()
  private var rules = BaselineRules()
  private var localSearch = LocalSearch()
  private var start: [Bool] = []
  private var best: [Bool] = []

  /// Improves `onGPU`, an assignment that ends at `knownEnd`, or replaces it with a better one.
  ///
  /// `budget` is that of the local search. Returns where the best assignment ends and a bound for
  /// all assignments, both without the handshake.
  mutating func search(
    _ layer: SortedLayer, _ onGPU: inout [Bool], knownEnd: Double, budget: Int
  ) -> (end: Double, bound: Double) {
    var bound = relaxation.bound(layer, knownEnd: knownEnd)
    let target = bound * (1 + 1e-9)
    guard knownEnd > target else { return (knownEnd, bound) }

    let improvesAll = layer.count <= Self.manyStartsCount
    var bestEnd = knownEnd
    localSearch.steps = budget
    copy(onGPU, to: &best)
    for kind in 0..<(improvesAll ? 4 + layer.missCount : 3) {
      switch kind {
      case 0: copy(onGPU, to: &start)
      case 1: fillRounded(layer)
      case 2: rules.assign(.dali, layer, .prefill, into: &start)
      default: ThresholdSearch(layer, copies: kind - 3).fill(&start, layer)
      }
      var end = layer.sums(of: start).end(layer)
      if improvesAll {
        localSearch.improve(&start, layer, target: target)
        end = localSearch.end
      }
      if end < bestEnd {
        bestEnd = end
        copy(start, to: &best)
      }
    }
    if !improvesAll {
      localSearch.improve(&best, layer, target: target)
      bestEnd = localSearch.end
    }
    // Forcing one expert to the other side and improving the rest leaves a local optimum.
    var kick = 0
    while kick < layer.count && localSearch.steps > 0 && bestEnd > target {
      copy(best, to: &start)
      start[kick].toggle()
      localSearch.improve(&start, layer, target: target, fixed: kick)
      if localSearch.end < bestEnd * (1 - 1e-12) {
        bestEnd = localSearch.end
        copy(start, to: &best)
      }
      kick += 1
    }
    copy(best, to: &onGPU)
    // A better plan rules more experts out from where they take too long: the bound may rise.
    if bestEnd < knownEnd && bestEnd > target {
      bound = max(bound, relaxation.bound(layer, knownEnd: bestEnd))
    }
    return (bestEnd, bound)
  }

  // The assignment behind the lower bound: each expert where it is cheaper at the bound's prices.
  private mutating func fillRounded(_ layer: SortedLayer) {
    let prices = relaxation.best
    start.removeAll(keepingCapacity: true)
    for slot in 0..<layer.count {
      let item = layer.items[slot]
      if layer.misses.contains(slot) {
        start.append(slot < prices.mustCopy || prices.copied.contains(slot))
      } else {
        start.append((1 - prices.price) * item.gpu < prices.price * item.cpu)
      }
    }
  }

  // Assigning would let two arrays share their memory, and the next write would allocate.
  private func copy(_ source: [Bool], to target: inout [Bool]) {
    target.removeAll(keepingCapacity: true)
    target.append(contentsOf: source)
  }
}
