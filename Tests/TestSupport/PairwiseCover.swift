/// Few combinations of several factors' levels that contain every pair of levels of every two factors.
///
/// Most faults of a system with many options need two options to show, so that these few find nearly what
/// the full product finds. Greedy: each row takes, factor by factor, the level that covers most pairs that no
/// row has; deterministic.
public struct PairwiseCover: Sendable {
  /// The chosen level of each factor, row by row.
  public private(set) var rows: [[Int]] = []

  /// - Parameter levels: how many each factor has, at least one each.
  public init(levels: [Int]) {
    var open = Set<Pair>()
    for first in levels.indices {
      for second in levels.indices where second > first {
        for a in 0..<levels[first] {
          for b in 0..<levels[second] { open.insert(Pair(first, a, second, b)) }
        }
      }
    }
    while let seed = open.min() {
      var row = [Int?](repeating: nil, count: levels.count)
      row[seed.first] = seed.a
      row[seed.second] = seed.b
      for factor in levels.indices where row[factor] == nil {
        row[factor] = (0..<levels[factor]).max { left, right in
          (Self.gain(factor, left, row, open), right) < (Self.gain(factor, right, row, open), left)
        }
      }
      let chosen = row.compactMap { $0 }
      for first in chosen.indices {
        for second in chosen.indices where second > first {
          open.remove(Pair(first, chosen[first], second, chosen[second]))
        }
      }
      rows.append(chosen)
    }
  }

  private static func gain(_ factor: Int, _ level: Int, _ row: [Int?], _ open: Set<Pair>) -> Int {
    row.indices.count { other in
      guard other != factor, let known = row[other] else { return false }
      let pair =
        other < factor ? Pair(other, known, factor, level) : Pair(factor, level, other, known)
      return open.contains(pair)
    }
  }

  private struct Pair: Hashable, Comparable {
    var first: Int
    var a: Int
    var second: Int
    var b: Int

    init(_ first: Int, _ a: Int, _ second: Int, _ b: Int) {
      (self.first, self.a, self.second, self.b) = (first, a, second, b)
    }

    static func < (left: Pair, right: Pair) -> Bool {
      (left.first, left.second, left.a, left.b) < (right.first, right.second, right.a, right.b)
    }
  }
}
