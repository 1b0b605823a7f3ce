import Foundation
import RandomNumbers

@testable import Sampling

/// The chain as its formulas say, slowly: sort everything, take probabilities with the C library's
/// exponential, drop what each step drops.
struct ReferenceSampler {
  var topK: Int
  var topP: Double
  var minP: Double

  func candidates(_ logits: [Float]) -> [Int] {
    var kept = logits.indices.sorted {
      logits[$0] == logits[$1] ? $0 < $1 : logits[$0] > logits[$1]
    }
    if topK > 0 { kept = Array(kept.prefix(topK)) }
    if topP < 1 {
      let probabilities = softmax(kept.map { Double(logits[$0]) })
      var sum = 0.0
      var count = 0
      while count < kept.count, sum < topP {
        sum += probabilities[count]
        count += 1
      }
      kept = Array(kept.prefix(count))
    }
    if minP > 0 {
      let probabilities = softmax(kept.map { Double(logits[$0]) })
      kept = zip(kept, probabilities).filter { $1 >= minP * probabilities[0] }.map(\.0)
    }
    return kept
  }

  func softmax(_ values: [Double]) -> [Double] {
    let best = values.max() ?? 0
    let weights = values.map { exp($0 - best) }
    let sum = weights.reduce(0, +)
    return weights.map { $0 / sum }
  }
}

/// Random scores: mostly a bell, sometimes coarse so that many are equal, sometimes very peaked.
func randomLogits(count: Int, using random: inout RandomSource) -> [Float] {
  let kind = random.next() % 3
  return (0..<count).map { _ in
    let bell = (0..<6).reduce(0.0) { sum, _ in sum + random.nextUnit() - 0.5 }
    return switch kind {
    case 0: Float(bell * 4)
    case 1: Float((bell * 3).rounded())
    default: Float(bell * bell * bell * 20)
    }
  }
}
