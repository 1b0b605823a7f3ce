/// The choice that a router makes from its scores.
enum TopK {
  /// The offsets of the highest scores, best first, ties to the lowest offset.
  ///
  /// - Complexity: O(scores × count), without a sort: `count` is small.
  static func indices(of scores: ArraySlice<Double>, count: Int) -> [Int] {
    var best: [Int] = []
    best.reserveCapacity(count + 1)
    let start = scores.startIndex
    for (offset, score) in scores.enumerated() {
      if best.count == count, let last = best.last, scores[start + last] >= score { continue }
      var place = best.count
      while place > 0, scores[start + best[place - 1]] < score { place -= 1 }
      best.insert(offset, at: place)
      if best.count > count { best.removeLast() }
    }
    return best
  }
}
