import Testing

@testable import Sampling

@Suite struct `Sampling settings` {
  @Test func `the defaults are allowed`() throws {
    let settings = try SamplingSettings()
    #expect(!settings.isGreedy)
    #expect(try SamplingSettings(temperature: 0).isGreedy)
  }

  @Test func `a value out of range is named with its range`() {
    func message(_ body: () throws -> SamplingSettings) -> String {
      do { return "\(try body()) was accepted" } catch { return "\(error)" }
    }
    #expect(
      message { try .init(temperature: -0.5) }
        == "temperature is -0.5, but must be a finite number of at least 0.")
    #expect(message { try .init(temperature: .nan) }.hasPrefix("temperature is nan"))
    #expect(message { try .init(temperature: .infinity) }.hasPrefix("temperature is inf"))
    #expect(message { try .init(topK: -1) }.hasPrefix("top-k is -1"))
    #expect(message { try .init(topP: 0) }.hasPrefix("top-p is 0.0"))
    #expect(message { try .init(topP: 1.01) }.hasPrefix("top-p is 1.01"))
    #expect(message { try .init(topP: .nan) }.hasPrefix("top-p is nan"))
    #expect(message { try .init(minP: -0.1) }.hasPrefix("min-p is -0.1"))
    #expect(message { try .init(minP: 1.5) }.hasPrefix("min-p is 1.5"))
  }

  @Test func `every number of every sampler is checked`() {
    func message<Value>(_ body: () throws -> Value) -> String {
      do { return "\(try body()) was accepted" } catch { return "\(error)" }
    }
    for bad in [Float.nan, 0, -1, 1.5, .infinity] {
      #expect(message { try SamplingSettings(typicalP: bad) }.hasPrefix("typical-p is \(bad), but"))
      #expect(
        message { try ExcludedTopChoices(threshold: bad) }.hasPrefix("xtc-threshold is \(bad), but")
      )
    }
    for bad in [Float.nan, -0.5, 1.5, .infinity] {
      #expect(
        message { try ExcludedTopChoices(probability: bad) }
          .hasPrefix("xtc-probability is \(bad), but"))
    }
    for bad in [Float.nan, -1, .infinity] {
      #expect(message { try SamplingSettings(topNSigma: bad) }.hasPrefix("top-n-sigma is \(bad)"))
      #expect(message { try DRYPenalty(multiplier: bad) }.hasPrefix("dry-multiplier is \(bad)"))
      #expect(message { try DRYPenalty(base: bad) }.hasPrefix("dry-base is \(bad)"))
      #expect(
        message { try RepetitionPenalties(repeat: bad) }.hasPrefix("repeat-penalty is \(bad)"))
    }
    for bad in [Float.nan, -.infinity, .infinity] {
      #expect(
        message { try RepetitionPenalties(presence: bad) }.hasPrefix("presence-penalty is \(bad)"))
      #expect(
        message { try RepetitionPenalties(frequency: bad) }.hasPrefix("frequency-penalty is \(bad)")
      )
    }
    #expect(message { try RepetitionPenalties(lastCount: -2) }.hasPrefix("repeat-last-n is -2"))
    #expect(message { try DRYPenalty(lastCount: -2) }.hasPrefix("dry-penalty-last-n is -2"))
    #expect(message { try DRYPenalty(allowedLength: 0) }.hasPrefix("dry-allowed-length is 0"))
    #expect(message { try DRYPenalty(base: 0.99) }.hasPrefix("dry-base is 0.99"))
    #expect(
      message { try DRYPenalty(breakers: ["a", ""]) }.hasPrefix("dry-sequence-breaker is empty"))
    for bad in [Float.nan, .infinity] {
      #expect(
        message { try SamplingSettings(logitBias: [1: 0, 3: bad]) }
          == "logit-bias of token 3 is \(bad), but must be a finite number or -inf.")
    }
  }

  @Test func `an order names each sampler at most once and no other`() throws {
    #expect(try SamplingStep.order("top_k; Min-P,temperature") == [.topK, .minP, .temperature])
    #expect(try SamplingStep.order("dry") == [.dry])
    #expect(throws: SamplingError.stepNamedTwice(.dry)) { try SamplingStep.order("dry;top-k;dry") }
    #expect(throws: SamplingError.unknownStep("mirostat")) { try SamplingStep.order("mirostat") }
    #expect(throws: SamplingError.unknownStep("")) { try SamplingStep.order("dry;") }
    #expect(throws: SamplingError.unknownStep("")) { try SamplingStep.order("") }
    #expect(throws: SamplingError.stepNamedTwice(.topP)) {
      try SamplingSettings(order: [.topP, .topP])
    }
    let names = SamplingStep.standardOrder.map(\.rawValue).joined(separator: ";")
    #expect(
      names == "penalties;dry;top-n-sigma;top-k;typical-p;top-p;min-p;xtc;temperature")
    #expect(try SamplingStep.order(names) == SamplingStep.standardOrder)
  }

  @Test func `another seed changes nothing else`() throws {
    let settings = try SamplingSettings(
      temperature: 0.5, topK: 3, typicalP: 0.5, xtc: ExcludedTopChoices(probability: 0.5),
      penalties: RepetitionPenalties(repeat: 2), dry: DRYPenalty(multiplier: 1),
      logitBias: [1: 1], order: [.dry, .topK], seed: 4)
    #expect(settings.with(seed: 9).seed == 9 && settings.with(seed: 9) != settings)
    #expect(settings.with(seed: 9).with(seed: 4) == settings)
  }
}
