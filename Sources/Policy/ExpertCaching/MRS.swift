/// Evicts the expert whose recent router scores are lowest: an expert that almost made it into the
/// top-k is likely to make it next time, which a count of uses cannot see.
///
/// The rule (HybriMoE, section 4.3, equation 3): S ← α·TopP(s) + (1−α)·S over all experts of the
/// layer, for each token in turn, where TopP keeps the 2 × top-k largest scores and zeroes the rest.
/// The resident with the lowest S goes, then the oldest recency. The published code reads only a
/// prompt's first token; the paper's text has all, and so do we. A trace without scores gives its
/// routing weights instead.
public struct MRS: EvictionPolicy {
  private let alpha: Double
  private var averages: [Double]

  /// - Parameter alpha: the weight of the newest scores, above 0 and at most 1; the paper has 0.5.
  public init(experts: Int, alpha: Double = 0.5) {
    precondition(alpha > 0 && alpha <= 1, "alpha must be above 0 and at most 1")
    self.alpha = alpha
    averages = Array(repeating: 0, count: experts)
  }

  public mutating func observe(_ event: LayerActivation, base: Int, history: UseHistory) {
    let fading = 1 - alpha
    let kept = event.keptPerToken
    for token in 0..<event.tokens {
      for expert in base..<base + event.experts { averages[expert] *= fading }
      for place in token * kept..<(token + 1) * kept {
        averages[base + event.keptExperts[place]] += alpha * event.keptScores[place]
      }
    }
  }

  public func fillRanks(_ ranks: inout [Double], history: UseHistory) {
    for expert in ranks.indices { ranks[expert] = averages[expert] }
  }
}
