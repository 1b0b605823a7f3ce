import Experts

extension HindsightBound {
  /// How many uses can find their expert in a slot, in hindsight and with any first filling: the
  /// most intervals between two uses that fit into the slots at any time, found by dropping the one
  /// that ends last whenever there are too many.
  ///
  /// - Complexity: O(uses × log slots).
  static func retainableUses(_ demands: [LayerDemand], slots: Int) -> Int {
    guard slots > 0 else { return 0 }
    var experts = 0
    for demand in demands { experts = max(experts, (demand.experts.max() ?? -1) + 1) }
    let layers = (demands.map(\.layer).max() ?? -1) + 1
    // Next uses, found from behind; `nextUse` ends as the first use of each expert.
    var nextUse = [Int](repeating: Int.max, count: layers * experts)
    var following: [[Int]] = []
    following.reserveCapacity(demands.count)
    for (index, demand) in demands.enumerated().reversed() {
      following.append(
        demand.experts.map { expert in
          let place = demand.layer * experts + expert
          defer { nextUse[place] = index }
          return nextUse[place]
        })
    }
    following.reverse()
    var held = [Bool](repeating: false, count: layers * experts)
    var ends = LatestEnds()
    var heldCount = 0
    var hits = 0
    func hold(_ place: Int, until end: Int) {
      held[place] = true
      heldCount += 1
      ends.insert(end: end, place: place)
      while heldCount > slots {
        let place = ends.removeLatest()
        held[place] = false
        heldCount -= 1
      }
    }
    for place in nextUse.indices where nextUse[place] != Int.max {
      hold(place, until: nextUse[place])
    }
    for (index, demand) in demands.enumerated() {
      for expert in demand.experts where held[demand.layer * experts + expert] {
        hits += 1
        held[demand.layer * experts + expert] = false
        heldCount -= 1
      }
      ends.forget(upTo: index)
      for (expert, end) in zip(demand.experts, following[index]) where end != Int.max {
        hold(demand.layer * experts + expert, until: end)
      }
    }
    return hits
  }
}

/// A heap of intervals that gives the one that ends last; those that have ended stay in it, at the
/// bottom, until there are too many of them.
private struct LatestEnds {
  private var heap: [(end: Int, place: Int)] = []
  private var lastForgotten = -1

  mutating func insert(end: Int, place: Int) {
    heap.append((end, place))
    var child = heap.count - 1
    while child > 0, heap[(child - 1) / 2].end < heap[child].end {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  /// All that are held end later than any that have ended, so the top is always held.
  mutating func removeLatest() -> Int {
    let top = heap[0].place
    let last = heap.removeLast()
    guard !heap.isEmpty else { return top }
    heap[0] = last
    var parent = 0
    while true {
      var child = 2 * parent + 1
      guard child < heap.count else { break }
      if child + 1 < heap.count, heap[child + 1].end > heap[child].end { child += 1 }
      guard heap[child].end > heap[parent].end else { break }
      heap.swapAt(child, parent)
      parent = child
    }
    return top
  }

  /// Drops what ended at or before an event, now and then.
  mutating func forget(upTo index: Int) {
    guard index > lastForgotten + 4096 else { return }
    lastForgotten = index
    let live = heap.filter { $0.end > index }
    heap.removeAll(keepingCapacity: true)
    for entry in live { insert(end: entry.end, place: entry.place) }
  }
}
