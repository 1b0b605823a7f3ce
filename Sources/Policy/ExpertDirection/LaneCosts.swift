import Experts

/// What a director knows of model and machine: sizes, and what each piece of work takes.
///
/// The engine gives what warm-up measured, the simulator a machine profile; the director asks both
/// the same questions. All times are microseconds. Answers may depend on nothing but the arguments:
/// a replay asks them again and must hear the same. Figures that change while running come as a new
/// value, through `ExpertDirector.updateCosts(_:)`.
public protocol LaneCosts: Sendable {
  /// MoE layers, at least 1.
  var layerCount: Int { get }
  /// Experts of each MoE layer, at most `ExpertSet.limit`.
  var expertCount: Int { get }
  /// Experts that each token activates.
  var activatedCount: Int { get }

  /// Bytes that the link carries for one expert of a MoE layer, at least 1.
  func linkBytes(ofLayer layer: Int) -> Int
  /// The link's latency and its speeds, with an idle and with a busy CPU.
  var link: CostModel.Link { get }

  /// The costs of every MoE layer in a step of this many tokens: [layers].
  func layerCosts(tokens: Int) -> [LayerCosts]
  /// What of a MoE layer comes before its routing is known: attention, norms and router.
  ///
  /// - Parameter context: positions in the cache after this step, at least `tokens`.
  func attentionMicroseconds(layer: Int, tokens: Int, context: Int) -> Double
  /// The layers without routed experts.
  func denseLayersMicroseconds(tokens: Int, context: Int) -> Double
  /// The output head, for the last token of a step.
  var outputMicroseconds: Double { get }
}
