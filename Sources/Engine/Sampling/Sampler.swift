import RandomNumbers

/// Chooses the next token from the model's scores.
///
/// One sampler belongs to one answer: it owns the random numbers and its scratch memory, which
/// grows at the first token and is reused afterwards. Copying a sampler copies its state, so that a
/// copy goes on with the same draws.
public struct Sampler: Sendable {
  /// What the sampler was made with.
  public let settings: SamplingSettings
  private(set) var random: RandomSource
  private var candidates = Candidates()

  /// A sampler at the start of its random numbers.
  public init(_ settings: SamplingSettings) {
    self.settings = settings
    random = RandomSource(seed: settings.seed)
  }

  /// The number of the next token.
  ///
  /// Greedy settings draw no random number; all others draw exactly one, so that a change of one
  /// setting does not shift the numbers of later tokens.
  ///
  /// - Parameter logits: `[vocabulary]`, the model's raw scores of the last position.
  /// - Throws: `SamplingError.noLogits`, or `logitNotFinite` where a score is NaN or infinite.
  /// - Complexity: O(n) for greedy; O(n log k) with top-k; without it O(n + m log n), m being how many
  ///   tokens the other truncations and the draw look at.
  public mutating func next(_ logits: Span<Float>) throws(SamplingError) -> Int {
    if settings.isGreedy { return try Self.best(of: logits) }
    guard !logits.isEmpty else { throw .noLogits }
    try candidates.fill(from: logits, limit: settings.topK)
    if settings.topP < 1 { candidates.keepNucleus(share: settings.topP) }
    if settings.minP > 0 { candidates.keepProbable(fraction: settings.minP) }
    return candidates.draw(temperature: settings.temperature, unit: random.nextUnit())
  }

  /// The number of the next token; see `next(_:)` for spans.
  public mutating func next(_ logits: [Float]) throws(SamplingError) -> Int {
    try next(logits.span)
  }

  /// The token with the highest score, the lowest number among equals.
  ///
  /// - Throws: `SamplingError.noLogits`, or `logitNotFinite` where a score is NaN or infinite.
  public static func best(of logits: Span<Float>) throws(SamplingError) -> Int {
    guard !logits.isEmpty else { throw .noLogits }
    var best = 0
    for index in logits.indices {
      guard logits[index].isFinite else {
        throw .logitNotFinite(tokenID: index, value: "\(logits[index])")
      }
      if logits[index] > logits[best] { best = index }
    }
    return best
  }

  /// The candidates of these logits before the draw, best first: what the chain would choose from.
  mutating func candidateIDs(_ logits: [Float]) throws(SamplingError) -> [Int] {
    _ = try next(logits)
    return (0..<candidates.count).map { Int(candidates.candidate(rank: $0).id) }
  }
}
