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
}
