import Experts

/// The figures that the paper publishes (arXiv 2504.05897), to be printed beside ours.
public enum PublishedResults {
  /// Its mean speed-ups over kTransformers, over 3 models × 25/50/75 % × its prompts.
  public static let prefillSpeedUp = 1.33
  public static let decodeSpeedUp = 1.70

  /// Its mean speed-up in a phase.
  public static func speedUp(_ phase: Phase) -> Double {
    phase == .prefill ? prefillSpeedUp : decodeSpeedUp
  }

  /// Its ablation: Qwen2-57B-A14B with 25 % of the experts cached, in milliseconds.
  public static let ablationModel = "qwen2-57b-a14b"
  public static let ablationCacheRatio = 0.25
  /// The paper does not say which of its prompts the ablation was measured with.
  public static let ablationPromptTokens = 128

  /// One row of the ablation; `nil` where the paper gives no figure.
  public struct Ablation: Equatable, Sendable {
    public var part: AblationPart
    public var prefillMilliseconds: Double?
    public var decodeMilliseconds: Double?
  }

  public static let ablation: [Ablation] = [
    Ablation(part: .baseline, prefillMilliseconds: 1470, decodeMilliseconds: 210),
    Ablation(part: .scheduling, prefillMilliseconds: 1170, decodeMilliseconds: 140),
    Ablation(part: .prefetching, prefillMilliseconds: 1390, decodeMilliseconds: 180),
    Ablation(part: .caching, prefillMilliseconds: nil, decodeMilliseconds: 150),
    Ablation(part: .all, prefillMilliseconds: 1130, decodeMilliseconds: 110),
  ]

  /// Its hit rates at 25 % capacity, in per cent.
  public struct HitRates: Equatable, Sendable {
    public var model: String
    public var mrsPercent: Double
    public var lruPercent: Double
  }

  public static let hitRates: [HitRates] = [
    HitRates(model: "mixtral-8x7b", mrsPercent: 36.2, lruPercent: 30.2),
    HitRates(model: "deepseek-v2-lite", mrsPercent: 52.7, lruPercent: 47.7),
    HitRates(model: "qwen2-57b-a14b", mrsPercent: 52.8, lruPercent: 45.0),
  ]

  /// The paper's grid.
  public static let models = ["mixtral-8x7b", "deepseek-v2-lite", "qwen2-57b-a14b"]
  public static let cacheRatios = [0.25, 0.5, 0.75]
  public static let promptTokens = [32, 128, 512, 1024]
}

/// What an ablation adds to kTransformers' fixed mapping: one of the paper's three ideas, or all.
public enum AblationPart: String, CaseIterable, Sendable {
  case baseline, scheduling, prefetching, caching, all
}
