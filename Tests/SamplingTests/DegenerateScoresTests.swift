import RandomNumbers
import Testing

@testable import Sampling

@Suite struct `Scores at the edge` {
  private func everything(temperature: Float) throws -> SamplingSettings {
    try SamplingSettings(
      temperature: temperature, typicalP: 0.9, topNSigma: 2,
      xtc: ExcludedTopChoices(probability: 1, threshold: 0.1),
      penalties: RepetitionPenalties(repeat: 1.5, presence: 1, lastCount: -1),
      dry: DRYPenalty(multiplier: 1, allowedLength: 1, breakers: []), logitBias: [0: 1])
  }

  @Test(arguments: [0, 1] as [Float], [Float.nan, .infinity, -.infinity])
  func `a score that is no finite number is an error behind every setting`(
    temperature: Float, bad: Float
  ) throws {
    var sampler = Sampler(try everything(temperature: temperature), prompt: [1, 2, 1])
    #expect(throws: SamplingError.logitNotFinite(tokenID: 2, value: "\(bad)")) {
      try sampler.next([1, 2, bad, 4, 0, 0])
    }
    #expect(throws: SamplingError.logitNotFinite(tokenID: 0, value: "\(bad)")) {
      try sampler.next([bad, bad, bad])
    }
    #expect(throws: SamplingError.noLogits) { try sampler.next([]) }
    #expect(try sampler.next([1, 2, 3, 400, 0, 0]) == 3, "the sampler works on after an error")
  }

  @Test(arguments: [0, 1] as [Float])
  func `where biases forbid all tokens but one it is taken, and where all, an error`(
    temperature: Float
  ) throws {
    let forbidden = [0: -Float.infinity, 1: -.infinity, 3: -.infinity]
    var one = Sampler(try SamplingSettings(temperature: temperature, logitBias: forbidden))
    #expect(try one.next([9, 9, -1e38, 9]) == 2)
    var none = Sampler(
      try SamplingSettings(
        temperature: temperature, logitBias: forbidden.merging([2: -.infinity]) { $1 }))
    #expect(throws: SamplingError.allForbidden) { try none.next([9, 9, -1e38, 9]) }
    #expect(throws: SamplingError.biasOutsideVocabulary(tokenID: 2, vocabularySize: 2)) {
      try none.next([1, 2])
    }
  }

  @Test func `extreme scores and settings never leave the finite numbers`() throws {
    let extreme: [Float] = [
      .greatestFiniteMagnitude, -.greatestFiniteMagnitude, 0, .leastNonzeroMagnitude, -1e38, 3e38,
    ]
    for temperature in [Float.leastNonzeroMagnitude, 1, .greatestFiniteMagnitude, 0] {
      for order in [SamplingStep.standardOrder, SamplingStep.standardOrder.reversed()] {
        let settings = try SamplingSettings(
          temperature: temperature, typicalP: 0.5, topNSigma: 1e30,
          xtc: ExcludedTopChoices(probability: 1, threshold: 1e-30),
          penalties: RepetitionPenalties(repeat: 1e38, presence: 3e38, frequency: -3e38),
          dry: DRYPenalty(multiplier: 3e38, base: 3e38, allowedLength: 1, breakers: []),
          logitBias: [0: 3e38, 1: -3e38], order: order)
        var sampler = Sampler(
          settings, prompt: Array(repeating: [0, 1, 2], count: 40).flatMap(\.self))
        for _ in 0..<20 { #expect((0..<6).contains(try sampler.next(extreme))) }
      }
    }
  }

  @Test func `one token is always taken`() throws {
    for temperature in [0, 0.3, 1] as [Float] {
      var sampler = Sampler(try everything(temperature: temperature))
      for score in [0, -5, 1e38] as [Float] { #expect(try sampler.next([score]) == 0) }
    }
  }

  @Test func `equal scores are kept from the lowest number on`() throws {
    let logits = [Float](repeating: 2.5, count: 10)
    func candidates(_ settings: SamplingSettings) throws -> [Int] {
      var sampler = Sampler(settings)
      return try sampler.candidateIDs(logits)
    }
    let plain = (topK: 0, topP: Float(1), minP: Float(0))
    func settings(typicalP: Float = 1, topNSigma: Float = 0, topK: Int = 0) throws
      -> SamplingSettings
    {
      try SamplingSettings(
        topK: topK, topP: plain.topP, minP: plain.minP, typicalP: typicalP, topNSigma: topNSigma)
    }
    #expect(try candidates(settings(typicalP: 0.5)) == [0, 1, 2, 3, 4])
    #expect(try candidates(settings(topNSigma: 0.1)) == Array(0..<10))
    #expect(try candidates(settings(topK: 3)) == [0, 1, 2])
  }

  @Test func `prompt tokens outside the scores are no trap`() throws {
    var sampler = Sampler(try everything(temperature: 0), prompt: [-1, 7, 900, 7, 900])
    #expect(try sampler.next([0, 5, 0]) == 1)
  }
}
