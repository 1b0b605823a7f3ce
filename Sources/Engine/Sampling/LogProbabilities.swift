import RandomNumbers

/// How probable a token was, and which were the most probable.
///
/// The probabilities are the model's own: the softmax of the raw scores, before biases, penalties and
/// temperature, over all tokens. So they say what the model thinks and not what the sampler made of it,
/// and those of one text can be compared between settings.
public struct LogProbabilities: Sendable, Equatable {
  /// A token and the natural logarithm of its probability, finite and at most 0.
  public struct Entry: Sendable, Equatable {
    public let token: Int
    public let logProbability: Double
  }

  /// The token that was chosen.
  public let chosen: Entry
  /// The most probable tokens, the best first, the lowest number first among equals.
  public let top: [Entry]

  /// - Parameters:
  ///   - logits: `[vocabulary]`, the model's raw scores.
  ///   - chosen: a token of the vocabulary.
  ///   - count: how many of the most probable tokens are wanted, at least 0; all where there are fewer.
  /// - Throws: `SamplingError.noLogits`, or `logitNotFinite` where a score is NaN or infinite.
  /// - Complexity: O(n log count) for n tokens, with an exponential for each.
  public init(_ logits: Span<Float>, chosen: Int, count: Int) throws(SamplingError) {
    var candidates = Candidates()
    // One at least, since the best score is wanted in any case.
    guard !logits.isEmpty else { throw .noLogits }
    try candidates.fill(from: logits, limit: max(count, 1))
    let best = Double(candidates.candidate(rank: 0).logit)
    var sum = 0.0
    for index in logits.indices { sum += exponential(Double(logits[index]) - best) }
    let logarithm = naturalLogarithm(sum)
    func entry(_ token: Int, _ logit: Float) -> Entry {
      Entry(token: token, logProbability: min(0, Double(logit) - best - logarithm))
    }
    self.chosen = entry(chosen, logits[chosen])
    top = (0..<min(max(count, 0), candidates.kept.count)).map { rank in
      let candidate = candidates.candidate(rank: rank)
      return entry(Int(candidate.id), candidate.logit)
    }
  }
}
