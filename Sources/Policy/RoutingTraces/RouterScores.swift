import Experts
import RandomNumbers

/// From latent scores to what a trace holds.
struct RouterScores: Sendable {
  /// Scores are rounded to this part of 1, so that a trace's text is a third as long. The activated
  /// experts are chosen from the rounded scores: a reader finds the same top-k.
  static let fineness = 1e7

  let experts: Int
  let activated: Int
  let sharpness: Double
  let renormalizes: Bool

  /// The router's probabilities, [tokens, experts]: the softmax of the latent scores times
  /// `sharpness`.
  func scores(_ latents: [Double]) -> [Double] {
    var scores = latents
    for start in stride(from: 0, to: latents.count, by: experts) {
      var highest = latents[start]
      for place in start..<start + experts { highest = max(highest, latents[place]) }
      var sum = 0.0
      for place in start..<start + experts {
        let power = exponential((latents[place] - highest) * sharpness)
        scores[place] = power
        sum += power
      }
      for place in start..<start + experts { scores[place] = Self.rounded(scores[place] / sum) }
    }
    return scores
  }

  /// The activated experts of each row of scores, [tokens, activated].
  func ids(_ scores: [Double]) -> [Int] {
    var ids: [Int] = []
    ids.reserveCapacity(scores.count / experts * activated)
    for start in stride(from: 0, to: scores.count, by: experts) {
      ids += TopK.indices(of: scores[start..<start + experts], count: activated)
    }
    return ids
  }

  /// Their routing weights, [tokens, activated].
  func weights(_ scores: [Double], _ ids: [Int]) -> [Double] {
    var weights: [Double] = []
    weights.reserveCapacity(ids.count)
    for (place, id) in ids.enumerated() {
      weights.append(scores[place / activated * experts + id])
    }
    guard renormalizes else { return weights }
    for start in stride(from: 0, to: weights.count, by: activated) {
      var sum = 0.0
      for place in start..<start + activated { sum += weights[place] }
      guard sum > 0 else { continue }
      for place in start..<start + activated {
        weights[place] = Self.rounded(weights[place] / sum)
      }
    }
    return weights
  }

  private static func rounded(_ number: Double) -> Double {
    (number * fineness).rounded() / fineness
  }
}
