import Foundation
import RandomNumbers
import Testing

@testable import Sampling

@Suite struct `Log-probabilities` {
  @Test func `are the logarithms of the softmax of the raw scores`() throws {
    var random = RandomSource(seed: 41)
    for size in [1, 2, 5, 100, 3000] {
      let logits = randomLogits(count: size, using: &random)
      let chosen = Int(random.next() % UInt64(size))
      let found = try LogProbabilities(logits.span, chosen: chosen, count: 7)
      let shares = ReferenceSampler.softmax(logits.map(Double.init))
      let best = logits.indices.sorted {
        logits[$0] == logits[$1] ? $0 < $1 : logits[$0] > logits[$1]
      }
      #expect(found.chosen.token == chosen)
      #expect(found.top.map(\.token) == Array(best.prefix(7)))
      for entry in found.top + [found.chosen] {
        #expect(abs(entry.logProbability - log(shares[entry.token])) < 1e-12)
      }
    }
  }

  @Test func `are finite where the probability itself is too small for a number`() throws {
    let logits: [Float] = [0, -1e6, 3]
    let found = try LogProbabilities(logits.span, chosen: 1, count: 0)
    #expect(abs(found.chosen.logProbability - -1_000_003.048_587_3) < 1e-6)
    #expect(found.top.isEmpty)
    let single: [Float] = [5]
    #expect(try LogProbabilities(single.span, chosen: 0, count: 2).chosen.logProbability == 0)
  }

  @Test func `of no scores or no finite ones are an error`() {
    let none: [Float] = []
    #expect(throws: SamplingError.noLogits) { try LogProbabilities(none.span, chosen: 0, count: 1) }
    let logits: [Float] = [1, .nan]
    #expect(throws: SamplingError.logitNotFinite(tokenID: 1, value: "nan")) {
      try LogProbabilities(logits.span, chosen: 0, count: 1)
    }
  }
}
