import RandomNumbers

// The steps that leave candidates out. Each keeps a run of ranks, at least one; probabilities are those
// of the candidates that are left, at the temperature so far.
extension Candidates {
  /// Keeps the best `count`.
  mutating func keepBest(_ count: Int) {
    guard count < kept.count else { return }
    keep(kept.lowerBound..<kept.lowerBound + count)
  }

  /// Top-p: keeps the fewest best candidates whose probabilities sum to at least `share`
  /// (Holtzman and others, "The Curious Case of Neural Text Degeneration", 2019).
  mutating func keepNucleus(share: Float) {
    let wanted = Double(share) * totalWeight()
    var sum = 0.0
    for rank in kept {
      sum += weight(rank: rank)
      if sum >= wanted {
        keep(kept.lowerBound..<rank + 1)
        return
      }
    }
  }

  /// Min-p: keeps candidates whose probability is at least `fraction` of the best candidate's
  /// (Nguyen and others, "Turning Up the Heat", 2024).
  mutating func keepProbable(fraction: Float) {
    for rank in kept.dropFirst() where weight(rank: rank) < Double(fraction) {
      keep(kept.lowerBound..<rank)
      return
    }
  }

  /// Top-nσ: keeps candidates whose score is at most `width` standard deviations of all scores below
  /// the best one (Tang and others, "Top-nσ: Not All Logits Are You Need", 2024).
  mutating func keepNearBest(width: Float) {
    var sum = 0.0
    forEachDepth { sum += $0 }
    let mean = sum / Double(kept.count)
    var squares = 0.0
    forEachDepth { squares += ($0 - mean) * ($0 - mean) }
    let lowest = -Double(width) * (squares / Double(kept.count)).squareRoot()
    for rank in kept.dropFirst() where depth(rank: rank) < lowest {
      keep(kept.lowerBound..<rank)
      return
    }
  }

  /// Typical-p: keeps the fewest candidates whose surprisal (−ln of the probability) is nearest to
  /// the entropy and whose probabilities sum to at least `mass` (Meister and others, "Locally Typical
  /// Sampling", 2022).
  ///
  /// Surprisal grows with the rank, so that the nearest to the entropy are a run of ranks, which is
  /// found from its middle outwards. Equally near: the more probable one first. A surprisal within
  /// 1e-9 of the entropy counts as behind it, so that rounding does not decide between equals.
  mutating func keepTypical(mass: Float) {
    // Surprisal and entropy are both taken less the logarithm of the total weight: −depth is left.
    var total = 0.0
    var entropy = 0.0
    forEachDepth {
      let weight = exponential($0)
      total += weight
      entropy -= weight * $0
    }
    entropy /= total
    var upper = kept.lowerBound
    while upper < kept.upperBound, -depth(rank: upper) < entropy - 1e-9 { upper += 1 }
    var lower = upper
    let wanted = Double(mass) * total
    var sum = 0.0
    while sum < wanted, lower > kept.lowerBound || upper < kept.upperBound {
      let above = lower > kept.lowerBound ? entropy + depth(rank: lower - 1) : .infinity
      let below = upper < kept.upperBound ? -depth(rank: upper) - entropy : .infinity
      if above <= below { lower -= 1 } else { upper += 1 }
      sum += weight(rank: above <= below ? lower : upper - 1)
    }
    keep(lower..<upper)
  }

  /// XTC: leaves out all candidates with a probability of at least `threshold` but the least
  /// probable of them ("Exclude Top Choices", text-generation-webui, pull request 6335, 2024).
  mutating func excludeTopChoices(threshold: Float) {
    let wanted = Double(threshold) * totalWeight()
    var lowest = kept.lowerBound
    for rank in kept.dropFirst() {
      guard weight(rank: rank) >= wanted else { break }
      lowest = rank
    }
    keep(lowest..<kept.upperBound)
  }
}
