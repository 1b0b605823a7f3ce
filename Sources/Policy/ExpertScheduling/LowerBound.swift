// Intuition: give CPU and GPU a price for each unit of their time. Whatever a plan does, every
// expert costs at least the cheaper of its two prices, so the priced sum over all experts is a debt
// that the two lanes must pay out of the time until the makespan. A short makespan cannot pay.
// Since copies take turns on the link, at most so many misses reach the GPU by then: for every
// possible number of copies the debt is that of the experts for which a copy saves most.
//
// Rule: for prices λ (CPU) and 1 − λ (GPU) and q copies, a plan that ends at T satisfies
//   T ≥ λ·cpuStart + (1−λ)·gpuStart + Σ min(λ·cpu, (1−λ)·gpu)     (residents, arrivals)
//         + Σ λ·cpu − the q greatest savings λ·cpu − (1−λ)·gpu    (misses)
//   T ≥ the end of the q shortest GPU computations behind q copies.
// The bound for λ is the least over q of the greater of the two; every λ gives a valid bound, and
// the best one is searched by golden section (the bound is quasi-concave in λ, as a linear
// programme's dual at each T is concave).
//
// Rejected: a linear programme with the copies as a third price; it may copy a third of an expert.

import Experts

/// A time that no plan of a case can beat, without searching for the plan.
public enum LowerBound {
  /// The bound, with the handshake; at most the makespan of the best plan.
  ///
  /// - Complexity: O(n) for each of about 25 prices, and O(n log n) for sorting.
  public static func of(_ layerCase: LayerCase) -> Double {
    var layer = SortedLayer()
    layer.take(layerCase)
    var relaxation = Relaxation()
    return layer.handshake + relaxation.bound(layer, knownEnd: ThresholdSearch(layer).end)
  }
}

/// The bound's search, with its scratch, and the fractional assignment behind the bound.
struct Relaxation {
  /// The price λ that gave the greatest bound, and what it says about the misses.
  private(set) var best = Evaluation()
  /// For each number of copies, when the link and the shortest computations behind it end.
  private var linkEnds: [Double] = []

  struct Evaluation {
    var price = 0.5
    var bound = -Double.infinity
    /// The debt for the deciding number of copies: what can still grow where the link decides.
    var debt = -Double.infinity
    /// Misses before this slot take the CPU too long.
    var mustCopy = 0
    /// The further misses that are copied: a range of slots, because savings rise with the load up
    /// to the GPU's knee and then rise or fall.
    var copied = 0..<0

    func isBetter(than other: Evaluation) -> Bool { (bound, debt) > (other.bound, other.debt) }
  }

  /// The greatest bound found, without the handshake; at most `knownEnd`, the end of any plan.
  ///
  /// - Complexity: O(n) for each of a fixed number of prices; no allocation in the steady state.
  mutating func bound(_ layer: SortedLayer, knownEnd: Double) -> Double {
    fillLinkEnds(layer)
    best = Evaluation()
    let section = 0.618_033_988_749_895
    var (low, high) = (0.0, 1.0)
    var left = evaluate(1 - section, layer, knownEnd)
    var right = evaluate(section, layer, knownEnd)
    for _ in 0..<24 {
      if left.isBetter(than: right) {
        (high, right) = (right.price, left)
        left = evaluate(high - section * (high - low), layer, knownEnd)
      } else {
        (low, left) = (left.price, right)
        right = evaluate(low + section * (high - low), layer, knownEnd)
      }
    }
    let withBoth = max(best.bound, slowestExpert(layer))
    // The debts hold for plans in which both CPU and GPU compute; the two others are known.
    let cpuAlone = max(layer.items.reduce(layer.cpuStart) { $0 + $1.cpu }, layer.gpuIdleEnd)
    let mixed = layer.count == 0 ? layer.gpuIdleEnd : min(withBoth, cpuAlone)
    return min(max(mixed, layer.gpuIdleEnd), knownEnd, ThresholdSearch.endWithoutCPU(layer))
  }

  private mutating func evaluate(
    _ price: Double, _ layer: SortedLayer, _ knownEnd: Double
  ) -> Evaluation {
    let (cpuPrice, gpuPrice) = (price, 1 - price)
    var debt = cpuPrice * layer.cpuStart + gpuPrice * layer.gpuStart
    var (onCPU, cheapest) = (0.0, gpuPrice * layer.launch)
    // A better plan than the known one has no use for what takes the CPU until the known end, or
    // what arrives too late for the GPU.
    let cpuLimit = knownEnd - layer.cpuStart
    for slot in layer.residents {
      let item = layer.items[slot]
      if item.cpu >= cpuLimit {
        onCPU = .infinity
        cheapest += gpuPrice * item.gpu
      } else {
        onCPU += cpuPrice * item.cpu
        cheapest += min(cpuPrice * item.cpu, gpuPrice * item.gpu)
      }
    }
    debt += min(onCPU, cheapest)
    for slot in layer.arrivals {
      let item = layer.items[slot]
      if item.ready + item.gpu >= knownEnd {
        debt += cpuPrice * item.cpu
      } else if item.cpu >= cpuLimit {
        debt += gpuPrice * item.gpu
      } else {
        debt += min(cpuPrice * item.cpu, gpuPrice * item.gpu)
      }
    }
    // The misses that must be copied are those with the highest loads.
    var mustCopy = layer.misses.lowerBound
    for slot in layer.misses {
      let item = layer.items[slot]
      debt += gpuPrice * item.gpu
      if item.cpu >= cpuLimit { mustCopy = slot + 1 }
    }

    // From all misses copied down to none, each time the one whose copy saves least goes back.
    var result = Evaluation()
    result.price = price
    result.bound = .infinity
    result.mustCopy = mustCopy
    var copied = mustCopy..<layer.misses.upperBound
    while true {
      let bound = max(debt, linkEnds[mustCopy - layer.misses.lowerBound + copied.count])
      if bound <= result.bound {
        (result.bound, result.debt, result.copied) = (bound, debt, copied)
      }
      guard !copied.isEmpty else { break }
      let first = saving(copied.lowerBound, layer, cpuPrice, gpuPrice)
      let last = saving(copied.upperBound - 1, layer, cpuPrice, gpuPrice)
      debt += min(first, last)
      copied = first < last ? copied.dropFirst() : copied.dropLast()
    }
    if result.isBetter(than: best) { best = result }
    return result
  }

  @inline(__always)
  private func saving(
    _ slot: Int, _ layer: SortedLayer, _ cpuPrice: Double, _ gpuPrice: Double
  ) -> Double {
    cpuPrice * layer.items[slot].cpu - gpuPrice * layer.items[slot].gpu
  }

  // For q copies and k of them still to be computed after copy q − k + 1: the k shortest at least.
  private mutating func fillLinkEnds(_ layer: SortedLayer) {
    linkEnds.removeAll(keepingCapacity: true)
    linkEnds.append(-.infinity)
    var shortest = 0.0
    var longestTail = -Double.infinity
    for count in 0..<layer.missCount {
      shortest += layer.items[layer.misses.upperBound - 1 - count].gpu
      longestTail = max(longestTail, shortest - Double(count + 1) * layer.linkPerExpert)
      linkEnds.append(layer.linkStart + Double(count + 2) * layer.linkPerExpert + longestTail)
    }
  }

  // Every expert ends somewhere, at its earliest even if it is alone.
  private func slowestExpert(_ layer: SortedLayer) -> Double {
    var slowest = 0.0
    for slot in 0..<layer.count {
      let item = layer.items[slot]
      var gpuEnd = max(layer.gpuStart, item.ready) + item.gpu
      if layer.residents.contains(slot) { gpuEnd += layer.launch }
      if layer.misses.contains(slot) {
        gpuEnd = max(layer.gpuStart, layer.linkStart + layer.linkPerExpert) + item.gpu
      }
      slowest = max(slowest, min(layer.cpuStart + item.cpu, gpuEnd))
    }
    return slowest
  }
}
