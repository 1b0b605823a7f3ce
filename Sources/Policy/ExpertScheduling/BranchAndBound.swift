import Experts

/// The optimum of a small layer whose loads differ, by looking at every assignment that could still
/// be better than the best one known.
///
/// Only assignments are enumerated, no orders: for one assignment the best order is known (see
/// `AssignmentWriter`). Experts are decided in the order of `SortedLayer`'s groups from arrivals
/// over misses to residents, so that the sums of a node tell its GPU end in O(1). A node is cut off
/// where its decided experts alone end too late, or where CPU and GPU at the prices of the lower
/// bound owe more than they can pay by the best end known (see `LowerBound`).
struct BranchAndBound {
  /// Layers up to this size are searched to the end: 2^10 assignments at worst.
  static let largestCount = 10
  /// Larger layers up to this size are searched for a limited number of steps.
  static let largestLimitedCount = 24
  /// About 10 ns each.
  static let stepLimit = 5000

  /// The best end known, without the handshake.
  private(set) var end: Double
  /// The best assignment, a bit for each slot that the GPU computes; `nil` where the search found
  /// nothing better than what it was given.
  private var best: UInt32?

  /// Whether the search came to its end, so that `end` is the optimum.
  var isComplete: Bool { stepsLeft > 0 }

  private let cpuPrice: Double
  private let gpuPrice: Double
  /// The least that the undecided experts from a place on add to the debt.
  private var remaining = InlineArray<25, Double>(repeating: 0)
  private var stepsLeft: Int

  /// `price` is what a unit of the CPU's time costs, of 1 for one of each; any is sound, the lower
  /// bound's cuts most.
  ///
  /// - Complexity: O(2^n) at worst, at most `stepLimit` nodes beyond ten experts; no allocation.
  init(_ layer: SortedLayer, knownEnd: Double, price: Double) {
    precondition(layer.count <= Self.largestLimitedCount, "too many experts for the exact search")
    end = knownEnd
    cpuPrice = price
    gpuPrice = 1 - price
    stepsLeft = layer.count <= Self.largestCount ? .max : Self.stepLimit
    for place in stride(from: layer.count - 1, through: 0, by: -1) {
      let item = layer.items[Self.slot(place, layer)]
      remaining[place] = remaining[place + 1] + min(cpuPrice * item.cpu, gpuPrice * item.gpu)
    }
    descend(layer, 0, AssignmentSums(), 0, previousOnCPU: false)
  }

  /// Writes the best assignment where it is better than what was known.
  func fill(_ onGPU: inout [Bool], _ layer: SortedLayer) {
    guard let best else { return }
    for slot in 0..<layer.count { onGPU[slot] = best >> UInt32(slot) & 1 == 1 }
  }

  private static func slot(_ place: Int, _ layer: SortedLayer) -> Int {
    if place < layer.arrivalCount { return layer.arrivals.lowerBound + place }
    let next = place - layer.arrivalCount
    return next < layer.missCount ? layer.misses.lowerBound + next : next - layer.missCount
  }

  private mutating func descend(
    _ layer: SortedLayer, _ place: Int, _ sums: AssignmentSums, _ onGPU: UInt32,
    previousOnCPU: Bool
  ) {
    guard stepsLeft > 0 else { return }
    stepsLeft -= 1
    // All plans but the one without CPU, which is known, pay the CPU's first expert.
    let cpu = layer.cpuStart + sums.cpu
    let gpu = layer.gpuStart + sums.gpu + (sums.residentsOnGPU > 0 ? layer.launch : 0)
    guard cpu < end, sums.gpuCount == 0 || max(gpu, sums.releasedEnd) < end else { return }
    guard sums.gpuCount == 0 || cpuPrice * cpu + gpuPrice * gpu + remaining[place] < end else {
      return
    }
    guard place < layer.count else {
      if sums.cpuCount > 0 {
        let reached = sums.end(layer)
        if reached < end { (end, best) = (reached, onGPU) }
      }
      return
    }
    let slot = Self.slot(place, layer)
    let item = layer.items[slot]
    // Of two equal experts it is enough to try the first on the GPU where one of them is there.
    let isTwin =
      place > layer.arrivalCount && place != layer.arrivalCount + layer.missCount
      && layer.items[Self.slot(place - 1, layer)].load == item.load
    if !(isTwin && previousOnCPU) {
      var with = sums
      if slot >= layer.arrivals.lowerBound {
        with.addArrival(item)
      } else if slot >= layer.misses.lowerBound {
        with.addCopy(item, from: layer.linkStart, each: layer.linkPerExpert)
      } else {
        with.addResident(item)
      }
      descend(layer, place + 1, with, onGPU | 1 << UInt32(slot), previousOnCPU: false)
    }
    var without = sums
    without.addToCPU(item)
    descend(layer, place + 1, without, onGPU, previousOnCPU: true)
  }
}
