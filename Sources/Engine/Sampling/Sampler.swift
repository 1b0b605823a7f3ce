import RandomNumbers

/// Chooses the next token from the model's scores.
///
/// One sampler belongs to one answer: it owns the random numbers, what the penalties remember, and
/// its scratch memory, which grows at the first token and is reused afterwards. Copying a sampler
/// copies its state, so that a copy goes on with the same draws.
public struct Sampler: Sendable {
  /// What the sampler was made with.
  public let settings: SamplingSettings
  private(set) var random: RandomSource
  private var candidates = Candidates()
  private var recent: RecentTokens?
  private var repetitions: RepetitionFinder?
  /// The scores after biases and the first penalties, −∞ for forbidden tokens.
  private var scores: [Float] = []
  /// The steps that do something, of which the first `scoreStepCount` change scores only.
  private let steps: [SamplingStep]
  private let scoreStepCount: Int

  /// A sampler at the start of its random numbers.
  ///
  /// - Parameters:
  ///   - prompt: the tokens so far; the penalties count them like those of the answer.
  ///   - text: what a token is, for DRY.
  public init(
    _ settings: SamplingSettings, prompt: [Int] = [],
    text: @escaping @Sendable (Int) -> TokenText = { _ in .plain([]) }
  ) {
    self.settings = settings
    random = RandomSource(seed: settings.seed)
    // Where the best token is taken, only what changes scores has a say.
    steps = settings.activeSteps.filter { !settings.isGreedy || $0.changesScores }
    scoreStepCount = steps.prefix(while: \.changesScores).count
    if steps.contains(.penalties) { recent = RecentTokens(limit: settings.penalties.lastCount) }
    if steps.contains(.dry) { repetitions = RepetitionFinder(settings.dry, text: text) }
    for token in prompt { accept(token) }
  }

  /// The number of the next token, which the penalties count from now on.
  ///
  /// Greedy settings draw no random number; all others draw exactly one, and one more where XTC is on,
  /// so that a change of one setting does not shift the numbers of later tokens.
  ///
  /// - Parameter logits: `[vocabulary]`, the model's raw scores of the last position.
  /// - Throws: `SamplingError.noLogits`; `logitNotFinite` where a score is NaN or infinite;
  ///   `biasOutsideVocabulary`; `allForbidden`. The sampler is then as before, but for the random
  ///   numbers.
  /// - Complexity: O(n) for greedy; O(n log k) with top-k; without it O(n + m log m), m being how many
  ///   tokens the other truncations and the draw look at. DRY adds O(tokens that it searches).
  public mutating func next(_ logits: Span<Float>) throws(SamplingError) -> Int {
    guard !logits.isEmpty else { throw .noLogits }
    let token: Int
    if settings.logitBias.isEmpty, scoreStepCount == 0 {
      token = try choose(logits, forbids: false)
    } else {
      try adjust(logits)
      // The buffer is lent out while the rest of the sampler changes.
      var lent: [Float] = []
      swap(&lent, &scores)
      defer { swap(&lent, &scores) }
      token = try choose(lent.span, forbids: true)
    }
    accept(token)
    return token
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

  private mutating func choose(
    _ scores: Span<Float>, forbids: Bool
  ) throws(SamplingError) -> Int {
    if settings.isGreedy {
      if !forbids { return try Self.best(of: scores) }
      try candidates.fill(from: scores, limit: 1, forbids: true)
      return Int(candidates.candidate(rank: 0).id)
    }
    let rest = steps.dropFirst(scoreStepCount)
    try candidates.fill(
      from: scores, limit: rest.first == .topK ? settings.topK : 0, forbids: forbids)
    for step in rest { perform(step) }
    return candidates.draw(unit: random.nextUnit())
  }

  private mutating func perform(_ step: SamplingStep) {
    switch step {
    case .penalties:
      guard let counts = recent?.counts else { return }
      candidates.rescore { candidate in
        counts[candidate.id].map { settings.penalties.penalised(candidate.logit, count: $0) }
          ?? candidate.logit
      }
    case .dry:
      repetitions?.search()
      guard let longest = repetitions?.longest else { return }
      candidates.rescore { candidate in
        longest[candidate.id].map { settings.dry.penalised(candidate.logit, length: $0) }
          ?? candidate.logit
      }
    case .topNSigma: candidates.keepNearBest(width: settings.topNSigma)
    case .topK: candidates.keepBest(settings.topK)
    case .typicalP: candidates.keepTypical(mass: settings.typicalP)
    case .topP: candidates.keepNucleus(share: settings.topP)
    case .minP: candidates.keepProbable(fraction: settings.minP)
    case .xtc:
      if random.nextUnit() < Double(settings.xtc.probability) {
        candidates.excludeTopChoices(threshold: settings.xtc.threshold)
      }
    case .temperature: candidates.divide(by: settings.temperature)
    }
  }

  /// Fills `scores` with the model's, the biases and the first penalties applied.
  private mutating func adjust(_ logits: Span<Float>) throws(SamplingError) {
    if scores.count != logits.count { scores = Array(repeating: 0, count: logits.count) }
    for index in logits.indices {
      guard logits[index].isFinite else {
        throw .logitNotFinite(tokenID: index, value: "\(logits[index])")
      }
      scores[index] = logits[index]
    }
    try settings.checkBiases(vocabularySize: logits.count)
    for (token, bias) in settings.logitBias {
      scores[token] =
        bias == -.infinity
        ? bias : Float(saturating: Double(scores[token]) + Double(bias))
    }
    for step in steps.prefix(scoreStepCount) {
      if step == .penalties { penaliseRecent() } else { penaliseRepetitions() }
    }
  }

  private mutating func penaliseRecent() {
    guard let recent else { return }
    for (id, count) in recent.counts where isAllowed(id) {
      scores[Int(id)] = settings.penalties.penalised(scores[Int(id)], count: count)
    }
  }

  private mutating func penaliseRepetitions() {
    repetitions?.search()
    guard let repetitions else { return }
    for (id, length) in repetitions.longest where isAllowed(id) {
      scores[Int(id)] = settings.dry.penalised(scores[Int(id)], length: length)
    }
  }

  /// Whether a token of the prompt has a score that can be lowered.
  private func isAllowed(_ id: Int32) -> Bool {
    scores.indices.contains(Int(id)) && scores[Int(id)] > -.infinity
  }

  /// Takes a token in that was chosen elsewhere.
  private mutating func accept(_ token: Int) {
    recent?.accept(token)
    repetitions?.accept(token)
  }

  /// The candidates of these logits before the draw, best first: what the chain would choose from.
  mutating func candidateIDs(_ logits: [Float]) throws(SamplingError) -> [Int] {
    _ = try next(logits)
    return candidates.kept.map { Int(candidates.candidate(rank: $0).id) }
  }
}
