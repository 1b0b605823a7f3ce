import RandomNumbers

/// The tokens that may still be drawn, in a buffer that is kept from token to token.
///
/// Every truncation of the chain keeps a run of one order: highest score first, lowest token number
/// among equals. A token's place in it is its *rank*. Most steps look at a few of the first ranks
/// only, so the order is made as far as it is asked for (`order(through:)`).
struct Candidates {
  struct Candidate {
    var logit: Float
    var id: Int32

    /// Whether this candidate stands before another in the order.
    func isBetter(than other: Candidate) -> Bool {
      logit > other.logit || (logit == other.logit && id < other.id)
    }
  }

  /// Ranks below `orderedCount` are in their places; the rest is in no order, but parted at `bounds`.
  private(set) var storage: [Candidate] = []
  private var orderedCount = 0
  /// Where pieces end that are not yet in order, the nearest last: all candidates before such a place
  /// are better than the one in it, and all behind it are worse. The first is the end of everything.
  private var bounds: [Int] = []
  private var pivots = RandomSource(seed: 0)
  /// The ranks that are left: never empty once filled.
  private(set) var kept = 0..<0
  /// Divides the scores wherever probabilities are asked for.
  private(set) var temperature: Float = 1

  /// Fills the buffer with the best `limit` tokens (all of them for 0).
  ///
  /// - Parameter forbids: whether a score of −∞ leaves its token out; otherwise it is an error.
  /// - Complexity: O(n log k) for the best k of n tokens, one comparison for most; O(n) for all.
  /// - Throws: `SamplingError.logitNotFinite` for the first score that is NaN or infinite,
  ///   `allForbidden` where no token is left.
  mutating func fill(
    from logits: Span<Float>, limit: Int, forbids: Bool = false
  ) throws(SamplingError) {
    let room = limit == 0 ? logits.count : min(limit, logits.count)
    if storage.count < room {
      storage = Array(repeating: Candidate(logit: 0, id: 0), count: room)
    }
    var count = 0
    for index in logits.indices {
      let candidate = Candidate(logit: logits[index], id: Int32(truncatingIfNeeded: index))
      guard candidate.logit.isFinite else {
        if forbids, candidate.logit == -.infinity { continue }
        throw .logitNotFinite(tokenID: index, value: "\(candidate.logit)")
      }
      if count < room {
        storage[count] = candidate
        count += 1
        // From here on the worst kept token is at the root, to be thrown out first.
        if count == room, room < logits.count { makeHeap(count: count) }
      } else if candidate.isBetter(than: storage[0]) {
        storage[0] = candidate
        siftDown(from: 0, count: count)
      }
    }
    guard count > 0 else { throw .allForbidden }
    temperature = 1
    restart(count: count)
  }

  /// The candidate of a kept rank. Ranks asked for in turn cost O(log n) each.
  mutating func candidate(rank: Int) -> Candidate {
    if rank >= orderedCount { order(through: rank) }
    return storage[rank]
  }

  /// Keeps these ranks, which are among those left.
  mutating func keep(_ ranks: Range<Int>) {
    assert(!ranks.isEmpty && kept.contains(ranks.lowerBound) && ranks.upperBound <= kept.upperBound)
    order(through: ranks.upperBound - 1)
    kept = ranks
  }

  /// Divides all scores from here on.
  mutating func divide(by temperature: Float) { self.temperature = temperature }

  /// Gives the kept candidates new scores and so a new order. What divided the scores before is
  /// part of them afterwards.
  mutating func rescore(_ newLogit: (Candidate) -> Float) {
    var count = 0
    for rank in kept {
      var candidate = storage[rank]
      candidate.logit = Float(saturating: Double(candidate.logit) / Double(temperature))
      candidate.logit = newLogit(candidate)
      storage[count] = candidate
      count += 1
    }
    temperature = 1
    restart(count: count)
  }

  /// Draws one candidate by its probability, given a random number in [0, 1).
  mutating func draw(unit: Double) -> Int {
    let target = unit * totalWeight()
    var sum = 0.0
    var last = candidate(rank: kept.lowerBound)
    for rank in kept {
      let weight = weight(rank: rank)
      // Rounding may leave the target at the very end: then it is the last token with any weight.
      if weight == 0 { break }
      last = storage[rank]
      sum += weight
      if target < sum { break }
    }
    return Int(last.id)
  }

  /// The probability of a kept rank, relative to the best kept candidate's.
  mutating func weight(rank: Int) -> Double { exponential(depth(rank: rank)) }

  /// How far the score of a kept rank lies below the best kept one at the temperature; at most 0.
  mutating func depth(rank: Int) -> Double {
    let best = candidate(rank: kept.lowerBound).logit
    // Asked for first: as an argument it would be asked for after `self` was copied.
    let candidate = candidate(rank: rank)
    return depth(of: candidate, below: best)
  }

  /// The sum of the kept candidates' weights, at least 1.
  mutating func totalWeight() -> Double {
    var sum = 0.0
    forEachDepth { sum += exponential($0) }
    return sum
  }

  /// Visits the kept candidates in no order.
  mutating func forEachDepth(_ visit: (Double) -> Void) {
    let best = candidate(rank: kept.lowerBound).logit
    // Where a truncation has left fewer than all, it has put them in order, so that the first places
    // hold the same candidates as the kept ranks.
    for index in kept { visit(depth(of: storage[index], below: best)) }
  }

  private func depth(of candidate: Candidate, below best: Float) -> Double {
    (Double(candidate.logit) - Double(best)) / Double(temperature)
  }

  private mutating func restart(count: Int) {
    kept = 0..<count
    orderedCount = 0
    bounds.removeAll(keepingCapacity: true)
    bounds.append(count)
  }
}

// The order, by quicksort that stops as soon as the asked rank is in its place (Paredes and Navarro,
// "Optimal Incremental Sorting", ALENEX 2006). Pivots are drawn, so that no order of the scores makes
// it slow; the outcome does not depend on them, since no two candidates are equal in the order.
extension Candidates {
  /// Puts all ranks up to this one in their places.
  ///
  /// - Complexity: O(n + m log m) expected for the first m ranks, over all calls.
  private mutating func order(through rank: Int) {
    while orderedCount <= rank {
      let end = bounds[bounds.count - 1]
      if end - orderedCount <= 16 {
        sortByInsertion(orderedCount..<end)
        bounds.removeLast()
        orderedCount = end
      } else {
        bounds.append(part(orderedCount..<end))
      }
    }
  }

  /// Moves candidates better than a drawn one before it and the others behind it; its place.
  private mutating func part(_ range: Range<Int>) -> Int {
    let last = range.upperBound - 1
    storage.swapAt(Int.random(in: range, using: &pivots), last)
    let pivot = storage[last]
    var place = range.lowerBound
    for index in range.lowerBound..<last {
      let candidate = storage[index]
      guard candidate.isBetter(than: pivot) else { continue }
      storage[index] = storage[place]
      storage[place] = candidate
      place += 1
    }
    storage.swapAt(place, last)
    return place
  }

  private mutating func sortByInsertion(_ range: Range<Int>) {
    for index in range.dropFirst() {
      let moving = storage[index]
      var hole = index
      while hole > range.lowerBound, moving.isBetter(than: storage[hole - 1]) {
        storage[hole] = storage[hole - 1]
        hole -= 1
      }
      storage[hole] = moving
    }
  }
}

// A binary heap in the first places of the buffer, with the worst candidate at its root.
extension Candidates {
  private mutating func makeHeap(count: Int) {
    var index = count / 2
    while index > 0 {
      index -= 1
      siftDown(from: index, count: count)
    }
  }

  private mutating func siftDown(from start: Int, count: Int) {
    let moving = storage[start]
    var hole = start
    while true {
      var child = 2 * hole + 1
      guard child < count else { break }
      if child + 1 < count, storage[child].isBetter(than: storage[child + 1]) { child += 1 }
      guard moving.isBetter(than: storage[child]) else { break }
      storage[hole] = storage[child]
      hole = child
    }
    storage[hole] = moving
  }
}
