/// The (token, rank) pairs of a layer, grouped by expert in ascending order. A group's rows are the same
/// numbers on both lanes: in the device's rows and in the host's.
struct RowGroups {
  /// Rows of each expert of the layer; empty for those that are not activated. [experts]
  private(set) var rows: [Range<Int>] = []
  /// Activated experts, ascending.
  private(set) var experts: [Int] = []
  /// The row of each pair. [tokens × ranks]
  private(set) var position: [Int32] = []
  /// The token of each row. [tokens × ranks]
  private(set) var tokens: [Int32] = []
  private var next: [Int] = []

  /// Replaces what it held.
  /// - Parameter ids: [tokens × ranks], all below `expertCount`.
  /// - Complexity: O(pairs + experts); nothing is allocated once a layer of this size has been seen.
  mutating func take(_ ids: [Int], ranks: Int, expertCount: Int) {
    next.removeAll(keepingCapacity: true)
    next.append(contentsOf: repeatElement(0, count: expertCount))
    for id in ids { next[id] += 1 }
    rows.removeAll(keepingCapacity: true)
    experts.removeAll(keepingCapacity: true)
    var start = 0
    for expert in 0..<expertCount {
      let load = next[expert]
      rows.append(start..<start + load)
      if load > 0 { experts.append(expert) }
      next[expert] = start
      start += load
    }
    position.removeAll(keepingCapacity: true)
    tokens.removeAll(keepingCapacity: true)
    tokens.append(contentsOf: repeatElement(0, count: ids.count))
    for (pair, id) in ids.enumerated() {
      position.append(Int32(next[id]))
      tokens[next[id]] = Int32(pair / ranks)
      next[id] += 1
    }
  }
}
