import Experts

/// What is to be done for one MoE layer of one step: a value that the engine performs on devices and
/// the simulator against costs.
public struct LayerDirective: Equatable, Sendable {
  public var step: Int
  public var phase: Phase
  public var layer: Int
  /// Tokens of the step.
  public var tokens: Int
  /// Microseconds since the run's start when the layer's routing was known; the plan's times count
  /// from there.
  public var start: Double
  /// What the plan answers: the activated experts with loads and residency, and the lanes' state.
  public var layerCase: LayerCase
  /// Which lane computes each expert, in which order, and which misses are copied.
  public var plan: LayerPlan
  /// The experts that the plan copies on demand, in the order of the link.
  public var copies: [DirectedCopy]
  /// Experts that were on their way when the layer started and that the GPU computes when they have
  /// arrived; they come before `copies` on the link.
  public var late: [DirectedCopy]
  /// Residents that lie in the ring and not in the cache.
  public var inRing: [Int]

  public init(
    step: Int, phase: Phase, layer: Int, tokens: Int, start: Double, layerCase: LayerCase,
    plan: LayerPlan
  ) {
    self.step = step
    self.phase = phase
    self.layer = layer
    self.tokens = tokens
    self.start = start
    self.layerCase = layerCase
    self.plan = plan
    copies = []
    late = []
    inRing = []
  }
}

/// An expert that arrives while its layer runs.
public struct DirectedCopy: Equatable, Sendable {
  /// Its index in the layer.
  public var index: Int
  /// Whether its place is to be kept until the layer ends: the cache has a slot for it, or may have
  /// one by then. Else its place is free again once the GPU has read it.
  public var stays: Bool

  public init(index: Int, stays: Bool) {
    self.index = index
    self.stays = stays
  }
}
