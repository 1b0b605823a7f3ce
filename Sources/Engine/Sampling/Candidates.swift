import RandomNumbers

/// The tokens that may still be drawn, in a buffer that is kept from token to token.
///
/// Every truncation of the chain (top-k, top-p, min-p) keeps the front of one order: highest score
/// first, lowest token number among equals. A token's place in it is its *rank*. Most steps look at a
/// few of the first ranks only, so the order is made as far as it is asked for: what is not ordered
/// yet lies in a heap with the best token at its root.
struct Candidates {
  struct Candidate {
    var logit: Float
    var id: Int32

    /// Whether this candidate stands before another in the order.
    func isBetter(than other: Candidate) -> Bool {
      logit > other.logit || (logit == other.logit && id < other.id)
    }
  }

  /// The heap is in the first `heapCount` places; then come the ordered ones, the best of all in the
  /// last of the `filledCount` places.
  private(set) var storage: [Candidate] = []
  private var filledCount = 0
  private var heapCount = 0
  /// Candidates that are left: the ranks below this.
  private(set) var count = 0

  /// Fills the buffer with the best `limit` tokens (all of them for 0).
  ///
  /// - Complexity: O(n log k) for the best k of n tokens, one comparison for most; O(n) for all.
  /// - Throws: `SamplingError.logitNotFinite` for the first score that is NaN or infinite.
  mutating func fill(from logits: Span<Float>, limit: Int) throws(SamplingError) {
    let kept = limit == 0 ? logits.count : min(limit, logits.count)
    if storage.count < kept {
      storage = Array(repeating: Candidate(logit: 0, id: 0), count: kept)
    }
    var count = 0
    for index in logits.indices {
      let candidate = Candidate(logit: logits[index], id: Int32(truncatingIfNeeded: index))
      guard candidate.logit.isFinite else {
        throw .logitNotFinite(tokenID: index, value: "\(candidate.logit)")
      }
      if count < kept {
        storage[count] = candidate
        count += 1
        // From here on the worst kept token is at the root, to be thrown out first.
        if count == kept, kept < logits.count { makeHeap(count: count, rootIsBest: false) }
      } else if candidate.isBetter(than: storage[0]) {
        storage[0] = candidate
        siftDown(from: 0, count: count, rootIsBest: false)
      }
    }
    makeHeap(count: count, rootIsBest: true)
    self.count = count
    filledCount = count
    heapCount = count
  }

  /// The candidate of a rank below `count`. Ranks asked for in turn cost O(log n) each.
  mutating func candidate(rank: Int) -> Candidate {
    while filledCount - heapCount <= rank {
      heapCount -= 1
      storage.swapAt(0, heapCount)
      siftDown(from: 0, count: heapCount, rootIsBest: true)
    }
    return storage[filledCount - 1 - rank]
  }

  /// Keeps the fewest best candidates whose probabilities sum to at least `share` of all candidates.
  mutating func keepNucleus(share: Float) {
    let best = candidate(rank: 0).logit
    let wanted = Double(share) * totalWeight(best: best, temperature: 1)
    var sum = 0.0
    for rank in 0..<count {
      sum += Self.weight(candidate(rank: rank).logit, best: best, temperature: 1)
      if sum >= wanted {
        count = rank + 1
        return
      }
    }
  }

  /// Keeps candidates whose probability is at least `fraction` of the best candidate's.
  mutating func keepProbable(fraction: Float) {
    let best = candidate(rank: 0).logit
    for rank in 1..<max(count, 1)
    where Self.weight(candidate(rank: rank).logit, best: best, temperature: 1) < Double(fraction) {
      count = rank
      return
    }
  }

  /// Draws one candidate by its probability at `temperature`, given a random number in [0, 1).
  mutating func draw(temperature: Float, unit: Double) -> Int {
    let best = candidate(rank: 0)
    let target = unit * totalWeight(best: best.logit, temperature: temperature)
    var sum = 0.0
    var last = best
    for rank in 0..<count {
      let next = candidate(rank: rank)
      let weight = Self.weight(next.logit, best: best.logit, temperature: temperature)
      // Rounding may leave the target at the very end: then it is the last token with any weight.
      if weight == 0 { break }
      last = next
      sum += weight
      if target < sum { break }
    }
    return Int(last.id)
  }

  /// The sum of the candidates' weights, at least 1.
  private func totalWeight(best: Float, temperature: Float) -> Double {
    // Where a truncation has left fewer than all, it has put them in order.
    var sum = 0.0
    for index in (filledCount - count)..<filledCount {
      sum += Self.weight(storage[index].logit, best: best, temperature: temperature)
    }
    return sum
  }

  /// The probability at a temperature, relative to the best candidate's.
  private static func weight(_ logit: Float, best: Float, temperature: Float) -> Double {
    exponential((Double(logit) - Double(best)) / Double(temperature))
  }
}

// A binary heap in the first places of the buffer, with the best or the worst candidate at its root.
extension Candidates {
  private mutating func makeHeap(count: Int, rootIsBest: Bool) {
    var index = count / 2
    while index > 0 {
      index -= 1
      siftDown(from: index, count: count, rootIsBest: rootIsBest)
    }
  }

  private mutating func siftDown(from start: Int, count: Int, rootIsBest: Bool) {
    guard start < count else { return }
    let moving = storage[start]
    var hole = start
    while true {
      var child = 2 * hole + 1
      guard child < count else { break }
      if child + 1 < count, storage[child + 1].isBetter(than: storage[child]) == rootIsBest {
        child += 1
      }
      guard storage[child].isBetter(than: moving) == rootIsBest else { break }
      storage[hole] = storage[child]
      hole = child
    }
    storage[hole] = moving
  }
}
