/// What is known of each expert of a layer when its next event is forecast: memories of different
/// length.
///
/// Eight numbers for each expert: a constant; the square roots of the share of recent events that
/// activated it, over about 20 and 250 events; four averages of how near its score came to the top-k,
/// over 1, 3, 12 and 50 events; and how recent its latest use is. "How near" is the logarithm of the
/// score over that of the last expert chosen, limited to −6…3: a score just below the line says far
/// more about the next token than a count can, and logarithms make it fair between sure and unsure
/// routers. A trace without scores gives weights of the chosen instead, and −2 for the others.
struct ForecastFeatures: Sendable {
  static let count = 8
  private static let activationRates = [0.05, 0.004]
  private static let signalRates = [1.0, 0.3, 0.08, 0.02]

  /// Where learning starts: what it came to, rounded, on synthetic traces of seven kinds (64 experts
  /// with 6 activated of four behaviours, 8 with 2, 32 with 4, 128 with 8; 1,024 tokens each).
  static func firstWeights(hasScores: Bool) -> [Double] {
    hasScores
      ? [-1.2, 1, 1.3, 0, 0.5, 0.2, 0.2, 0]
      : [-1.9, 2, 1.8, 0, 0.4, 0.2, 0.3, 0.3]
  }

  /// [features, experts]; row 0 is 1.
  private(set) var table: [Double]
  private var previous: [Double]
  private var averages: [Double]
  private let experts: Int
  private let topK: Int
  private var signal: [Double]
  private var tokensSeen = Self.tokensAssumed
  // Averages start as if so many tokens had been seen whose experts were all alike; without them
  // the first tokens would count for too much.
  private static let tokensAssumed = 4
  private static let usualNearness = -1.5
  // Of an expert that was not chosen, nothing else is known in a trace without scores.
  private static let nearnessOfUnchosen = -2.0
  // Far below any score that matters; keeps logarithms finite.
  private static let lowestScore = 1e-9

  init(experts: Int, topK: Int) {
    self.experts = experts
    self.topK = topK
    table = Array(repeating: 0, count: Self.count * experts)
    for index in 0..<experts { table[index] = 1 }
    previous = table
    averages = Array(repeating: Self.usualNearness, count: (Self.count - 2) * experts)
    for place in 0..<2 * experts { averages[place] = Double(topK) / Double(experts) }
    signal = Array(repeating: 0, count: experts)
  }

  /// Takes an event in; returns the table from before it.
  mutating func advance(_ event: LayerActivation, base: Int, history: UseHistory) -> [Double] {
    swap(&table, &previous)
    if event.tokens > 1 {
      // All tokens but the last at once, by their mean: nearly exact for slow averages, and fast
      // ones keep little but the last token anyway.
      let earlier = event.tokens - 1
      for index in 0..<experts { signal[index] = Double(event.loads[index]) }
      for index in event.lastExperts { signal[index] -= 1 }
      for index in 0..<experts { signal[index] /= Double(earlier) }
      absorb(event, event.meanScores, line: event.meanLine, tokens: earlier)
    }
    for index in 0..<experts { signal[index] = 0 }
    for index in event.lastExperts { signal[index] = 1 }
    absorb(event, event.lastScores, line: event.lastLine, tokens: 1)
    writeTable(event, base: base, history: history)
    return previous
  }

  // `signal` holds how many of the tokens activated each expert, as a share.
  private mutating func absorb(
    _ event: LayerActivation, _ scores: [Double], line: Double, tokens: Int
  ) {
    tokensSeen += tokens
    for (place, rate) in Self.activationRates.enumerated() { average(place, rate, tokens) }
    let furthest = event.hasScores ? -6 : Self.nearnessOfUnchosen
    let lineLogarithm = Elementary.logarithm(max(line, Self.lowestScore))
    for index in 0..<experts {
      let logarithm = Elementary.logarithm(max(scores[index], Self.lowestScore))
      signal[index] = min(max(logarithm - lineLogarithm, furthest), 3)
    }
    for (place, rate) in Self.signalRates.enumerated() { average(2 + place, rate, tokens) }
  }

  // An exponential average of rate `rate` a token, a plain mean until that many tokens were seen.
  private mutating func average(_ place: Int, _ rate: Double, _ tokens: Int) {
    var kept = 1.0
    for _ in 0..<min(tokens, 1000) { kept *= 1 - rate }
    let share = max(1 - kept, Double(tokens) / Double(tokensSeen))
    let first = place * experts
    for index in 0..<experts {
      averages[first + index] += share * (signal[index] - averages[first + index])
    }
  }

  private mutating func writeTable(_ event: LayerActivation, base: Int, history: UseHistory) {
    for place in 0..<2 * experts { table[experts + place] = averages[place].squareRoot() }
    for place in 2 * experts..<6 * experts { table[experts + place] = averages[place] }
    let scale = 1 / Double(topK)
    for index in 0..<experts {
      let age = Double(history.clock - history.recency[base + index])
      table[7 * experts + index] = 1 / (1 + age * scale)
    }
  }
}
