import Foundation
import RandomNumbers
import Testing

@testable import Sampling

@Suite struct `The chain of samplers` {
  /// Tokens whose texts hold breakers in all ways: alone, within, and cut into pieces.
  static let texts: [TokenText] = [
    .plain([0x61]), .plain([0x62]), .plain(Array("ab".utf8)), .plain(Array("x:y".utf8)),
    .plain([0x0A]), .plain(Array("q".utf8)), .plain(Array("u!".utf8)), .plain([0xC3]),
    .plain([0xA9]), .plain([]), .control, .plain(Array("c".utf8)),
  ]
  static let breakers = ["\n", ":", "qu!", "é"]

  /// Compares tokens and candidates with the reference, over answers of some tokens.
  private func compare(
    _ settings: SamplingSettings, sizes: [Int], tokens: Int, prompt: Int = 0,
    using random: inout RandomSource, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    for size in sizes {
      let texts = (0..<size).map { Self.texts[$0 % Self.texts.count] }
      let prompt = (0..<prompt).map { _ in Int(random.next() % UInt64(size)) }
      var reference = ReferenceSampler(settings, texts: texts, prompt: prompt)
      var sampler = Sampler(settings, prompt: prompt) { texts[$0] }
      for _ in 0..<tokens {
        let logits = randomLogits(count: size, using: &random)
        let expected = reference.next(logits)
        var copy = sampler
        let story = Comment("\(settings), \(reference.history), \(logits)")
        if !settings.isGreedy {
          let found = try copy.candidateIDs(logits)
          #expect(
            found == reference.candidates.map(\.id), story, sourceLocation: sourceLocation)
        }
        #expect(try sampler.next(logits) == expected, story, sourceLocation: sourceLocation)
      }
    }
  }

  private let sizes = [1, 2, 3, 7, 12, 40, 90]

  @Test(arguments: [
    (topK: 0, topP: 1.0, minP: 0.0), (1, 1, 0), (5, 1, 0), (1000, 1, 0), (0, 0.5, 0),
    (0, 0.95, 0), (0, 0.0001, 0), (0, 1, 0.05), (0, 1, 1), (0, 1, 0.5), (40, 0.95, 0.05),
    (3, 0.9, 0.3), (60, 0.7, 0.01),
  ])
  func `top-k, top-p and min-p keep what their definitions say`(
    setting: (topK: Int, topP: Double, minP: Double)
  ) throws {
    var random = RandomSource(seed: 11)
    let settings = try SamplingSettings(
      temperature: 0.7, topK: setting.topK, topP: Float(setting.topP), minP: Float(setting.minP))
    try compare(settings, sizes: sizes, tokens: 8, using: &random)
  }

  @Test(arguments: [1e-30, 0.1, 0.2, 0.5, 0.9, 0.99, 0.999_999] as [Float])
  func `typical-p keeps what its definition says`(mass: Float) throws {
    var random = RandomSource(seed: 12)
    let alone = try SamplingSettings(topK: 0, topP: 1, minP: 0, typicalP: mass)
    try compare(alone, sizes: sizes, tokens: 8, using: &random)
    try compare(SamplingSettings(typicalP: mass), sizes: sizes, tokens: 8, using: &random)
  }

  @Test(arguments: [1e-10, 0.3, 1, 2.5, 100] as [Float])
  func `top-n-sigma keeps what its definition says`(width: Float) throws {
    var random = RandomSource(seed: 13)
    let settings = try SamplingSettings(topK: 0, topP: 1, minP: 0, topNSigma: width)
    try compare(settings, sizes: sizes, tokens: 8, using: &random)
  }

  @Test(arguments: [(1, 0.1), (0.5, 0.02), (0.3, 0.5), (1, 1), (1, 1e-30)] as [(Float, Float)])
  func `xtc leaves out what its definition says`(probability: Float, threshold: Float) throws {
    var random = RandomSource(seed: 14)
    let xtc = try ExcludedTopChoices(probability: probability, threshold: threshold)
    try compare(
      SamplingSettings(topP: 1, minP: 0, xtc: xtc, seed: 3), sizes: sizes, tokens: 12,
      using: &random)
  }

  @Test(
    arguments: [
      (1.3, 0, 0, 64), (1, 0.7, 0, 64), (1, 0, 0.4, 64), (0.8, -0.5, -0.1, -1), (1.5, 1, 0.5, 1),
      (2, 0, 0, 5), (1e30, 1e38, 1e38, -1),
    ] as [(Float, Float, Float, Int)])
  func `penalties lower what their definitions say, of prompt and answer`(
    penalty: Float, presence: Float, frequency: Float, last: Int
  ) throws {
    var random = RandomSource(seed: 15)
    let penalties = try RepetitionPenalties(
      repeat: penalty, presence: presence, frequency: frequency, lastCount: last)
    let settings = try SamplingSettings(minP: 0, penalties: penalties, seed: 5)
    try compare(settings, sizes: sizes, tokens: 12, prompt: 7, using: &random)
    let greedy = try SamplingSettings(temperature: 0, penalties: penalties)
    try compare(greedy, sizes: sizes, tokens: 12, prompt: 90, using: &random)
  }

  @Test(arguments: [(2, -1), (1, -1), (3, 20), (1, 1), (2, 2), (1, 7)])
  func `dry lowers what its definition says, of prompt and answer`(
    allowed: Int, last: Int
  ) throws {
    var random = RandomSource(seed: 16)
    for breakers in [Self.breakers, [], ["ba"]] {
      let dry = try DRYPenalty(
        multiplier: 0.8, base: 1.5, allowedLength: allowed, lastCount: last, breakers: breakers)
      let settings = try SamplingSettings(topP: 1, minP: 0, dry: dry, seed: 5)
      try compare(settings, sizes: [1, 2, 3, 12], tokens: 20, prompt: 40, using: &random)
      let greedy = try SamplingSettings(temperature: 0, dry: dry)
      try compare(greedy, sizes: [1, 2, 3, 12], tokens: 20, prompt: 40, using: &random)
    }
  }

  @Test func `biases are added first, and minus infinity forbids`() throws {
    var random = RandomSource(seed: 17)
    let settings = try SamplingSettings(logitBias: [0: 3, 2: -.infinity, 4: -2.5, 6: -.infinity])
    try compare(settings, sizes: [7, 40], tokens: 20, using: &random)
    let greedy = try SamplingSettings(temperature: 0, logitBias: [3: 100, 1: 99.5])
    var sampler = Sampler(greedy)
    #expect(try sampler.next([0, 1, 0, 0, 0]) == 1)
    #expect(try sampler.next([0, 0, 0, 0, 0]) == 3)
  }

  @Test func `random settings in random orders equal the reference`() throws {
    var random = RandomSource(seed: 18)
    func one<Value>(of values: [Value]) -> Value {
      values[Int(random.next() % UInt64(values.count))]
    }
    for _ in 0..<80 {
      var order = SamplingStep.allCases.shuffled(using: &random)
      order.removeLast(Int(random.next() % 5))
      let settings = try SamplingSettings(
        temperature: one(of: [0.5, 1, 1.7]), topK: one(of: [0, 4, 30]), topP: one(of: [1, 0.8]),
        minP: one(of: [0, 0.02]), typicalP: one(of: [1, 0.7]), topNSigma: one(of: [0, 2]),
        xtc: try ExcludedTopChoices(probability: one(of: [0, 0.5]), threshold: 0.08),
        penalties: RepetitionPenalties(
          repeat: one(of: [1, 1.2]), presence: one(of: [0, 0.3]), lastCount: one(of: [-1, 9])),
        dry: try DRYPenalty(
          multiplier: one(of: [0, 0.8]), allowedLength: 1, breakers: Self.breakers),
        logitBias: one(of: [[:], [1: -.infinity, 0: 1]]), order: order, seed: random.next())
      try compare(settings, sizes: [2, 12, 60], tokens: 5, prompt: 30, using: &random)
    }
  }

  @Test func `the order matters, and a step that is left out is off`() throws {
    func candidates(_ order: String, temperature: Float = 4) throws -> [Int] {
      var sampler = Sampler(
        try SamplingSettings(
          temperature: temperature, topK: 2, topP: 0.8, minP: 0, order: SamplingStep.order(order)))
      return try sampler.candidateIDs([4, 3, 2, 1, 0])
    }
    #expect(try candidates("top-k;top-p;temperature") == [0, 1])
    #expect(try candidates("top-p;top-k;temperature") == [0, 1])
    #expect(try candidates("top-p;temperature") == [0, 1])
    #expect(try candidates("temperature;top-p") == [0, 1, 2, 3])
    #expect(try candidates("temperature;top-p;top-k") == [0, 1])
    #expect(try candidates("temperature") == [0, 1, 2, 3, 4])
    // Greedy: a penalty counts wherever it stands, and what leaves tokens out does not.
    let penalties = try RepetitionPenalties(presence: 5)
    for order in ["penalties;top-k;temperature", "temperature;top-k;typical-p;penalties"] {
      let greedy = try SamplingSettings(
        temperature: 0, topK: 1, typicalP: 0.01, penalties: penalties,
        order: SamplingStep.order(order))
      var sampler = Sampler(greedy, prompt: [0])
      #expect(try sampler.next([4, 3, 2, 1, 0]) == 1)
    }
    // Without the temperature a temperature of 0 is not greedy.
    #expect(try candidates("top-p", temperature: 0) == [0, 1])
  }
}
