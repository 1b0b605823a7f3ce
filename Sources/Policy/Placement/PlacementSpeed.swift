import Experts

/// How fast a plan will run, from the machine's costs in closed form.
///
/// The intuition: in each MoE layer three lanes share the work, and the CPU takes as many experts as
/// balance it against the slower of the other two. In decode whole experts are split, averaged over
/// the number of hits; in prefill, with many experts and tokens, fractions of experts are good enough.
/// The simulator, which plays every layer of a routing trace through the real schedulers, is the
/// accurate one; this one needs no trace and gives the same picture. Rejected: playing a made-up trace
/// here, which takes seconds and is no better than what was made up.
public struct PlacementSpeed: Equatable, Sendable {
  /// The mean share of activated experts that are resident in decode.
  public var hitRate: Double
  /// Whether `hitRate` is an assumption: neither a figure of the request nor plain from layers
  /// that are entirely on one side.
  public var isHitRateAssumed: Bool
  public var decodeMicroseconds: Double
  public var prefillMicroseconds: Double
  public var promptTokens: Int

  public var decodeTokensPerSecond: Double { 1e6 / decodeMicroseconds }
  public var prefillTokensPerSecond: Double { Double(promptTokens) * 1e6 / prefillMicroseconds }

  /// The share of activated experts that a cache of this share of all experts holds.
  ///
  /// A power of the share: 1 for all, 0 for none. The exponent follows from the hit rates that the
  /// paper reports for its policy at 25 % (arXiv 2504.05897): 52.7 % and 52.8 % with 64 experts give
  /// ln 0.527 / ln 0.25 = 0.46, 36.2 % with Mixtral's 8 experts give 0.73; between, by the logarithm
  /// of the number of experts.
  public static func assumedHitRate(slots: Int, experts: Int) -> Double {
    guard slots > 0, experts > 0 else { return 0 }
    let share = min(1, Double(slots) / Double(experts))
    let exponent =
      experts >= 64
      ? 0.46 : experts <= 8 ? 0.73 : 0.73 - 0.27 * (binaryLogarithm(experts) - 3) / 3
    return power(share, exponent)
  }

  init(_ plan: PlacementPlan) {
    let request = plan.request
    promptTokens = min(request.promptTokens, request.context)
    isHitRateAssumed =
      request.hitRate == nil && plan.layers.contains { $0.slots > 0 && $0.slots < $0.expertCount }
    let model = LayerTimes(plan)
    var decode = (request.engineTimes?.dense ?? 0) + model.ownOutput
    var prefill = model.output
    var hits = 0.0
    var activated = 0.0
    for index in plan.layers.indices {
      let layer = plan.layers[index]
      if !model.isCounted(index) {
        decode += model.dense(index, tokens: 1, context: request.context)
      }
      prefill += model.dense(index, tokens: promptTokens, context: promptTokens)
      guard let experts = request.shape.layers[index].experts else { continue }
      let rate = Self.hitRate(layer, request)
      hits += rate * Double(experts.activated)
      activated += Double(experts.activated)
      decode += model.experts(
        index, activated: Double(experts.activated), load: 1, hitRate: rate, tokens: 1,
        times: request.engineTimes)
      let share = Double(experts.activated) / Double(experts.count)
      let distinct = Double(experts.count) * (1 - power(1 - share, Double(promptTokens)))
      let load = Double(promptTokens * experts.activated) / max(1, distinct)
      prefill += model.experts(
        index, activated: distinct, load: load,
        hitRate: Double(layer.slots) / Double(max(1, layer.expertCount)), tokens: promptTokens)
    }
    hitRate = activated > 0 ? hits / activated : 0
    decodeMicroseconds = decode
    prefillMicroseconds = prefill
  }

  private static func hitRate(_ layer: PlacementPlan.Layer, _ request: PlacementRequest) -> Double {
    if layer.slots == 0 { return 0 }
    if layer.slots == layer.expertCount { return 1 }
    return request.hitRate ?? assumedHitRate(slots: layer.slots, experts: layer.expertCount)
  }
}
