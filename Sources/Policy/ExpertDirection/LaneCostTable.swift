import Experts

/// Lane costs as warm-up measures them: the cost model's figures for the experts, and one line for
/// each layer's dense part.
public struct LaneCostTable: LaneCosts, Equatable {
  /// A time that grows with tokens and context: fixed + tokens × each + tokens × context × each.
  public struct Line: Equatable, Sendable {
    public var fixedMicroseconds: Double
    public var microsecondsPerToken: Double
    /// For each position that each token attends to.
    public var microsecondsPerPosition: Double

    public init(
      fixedMicroseconds: Double = 0, microsecondsPerToken: Double = 0,
      microsecondsPerPosition: Double = 0
    ) {
      self.fixedMicroseconds = fixedMicroseconds
      self.microsecondsPerToken = microsecondsPerToken
      self.microsecondsPerPosition = microsecondsPerPosition
    }

    /// The time for this many tokens, the last of which sees `context` positions.
    public func microseconds(tokens: Int, context: Int) -> Double {
      let seen = Double(context) - Double(tokens - 1) / 2
      return fixedMicroseconds + Double(tokens) * microsecondsPerToken
        + Double(tokens) * max(1, seen) * microsecondsPerPosition
    }
  }

  /// One MoE layer.
  public struct Layer: Equatable, Sendable {
    public var footprint: ExpertFootprint
    /// Attention, norms and router.
    public var attention: Line
    /// The shared expert; all 0 where the layer has none.
    public var shared: Line

    public init(footprint: ExpertFootprint, attention: Line, shared: Line = Line()) {
      self.footprint = footprint
      self.attention = attention
      self.shared = shared
    }
  }

  public var model: CostModel
  public var layers: [Layer]
  public let expertCount: Int
  public let activatedCount: Int
  /// All layers without routed experts together.
  public var denseLayers: Line
  public var outputMicroseconds: Double

  /// - Throws: `DirectionError.description` where there is no layer, a count that no model has, or an
  ///   element type of which the cost model has no CPU figures.
  public init(
    model: CostModel, layers: [Layer], expertCount: Int, activatedCount: Int,
    denseLayers: Line = Line(), outputMicroseconds: Double = 0
  ) throws(DirectionError) {
    guard !layers.isEmpty, (1...ExpertSet.limit).contains(expertCount),
      (1...expertCount).contains(activatedCount)
    else {
      throw .description(
        "A model of \(layers.count) MoE layers with \(expertCount) experts, \(activatedCount) "
          + "activated, cannot be directed; there must be at least 1 layer and 1 to "
          + "\(ExpertSet.limit) experts.")
    }
    for layer in layers {
      let footprint = layer.footprint
      guard model.layerCosts(for: footprint) != nil, footprint.linkBytes > 0 else {
        throw .description(
          "The cost model has no CPU figures for \(footprint.elementType) experts of "
            + "\(footprint.linkBytes) bytes; measure them, or give a default "
            + "('\(CostModel.defaultElementType)').")
      }
    }
    self.model = model
    self.layers = layers
    self.expertCount = expertCount
    self.activatedCount = activatedCount
    self.denseLayers = denseLayers
    self.outputMicroseconds = outputMicroseconds
  }

  public var layerCount: Int { layers.count }
  public var link: CostModel.Link { model.link }

  public func linkBytes(ofLayer layer: Int) -> Int { layers[layer].footprint.linkBytes }

  public func layerCosts(tokens: Int) -> [LayerCosts] {
    layers.map { layer in
      guard var costs = model.layerCosts(for: layer.footprint) else {
        preconditionFailure("a table's model must keep the element types it was made with")
      }
      costs.sharedOnGPU = layer.shared.microseconds(tokens: tokens, context: tokens)
      return costs
    }
  }

  public func attentionMicroseconds(layer: Int, tokens: Int, context: Int) -> Double {
    layers[layer].attention.microseconds(tokens: tokens, context: context)
  }

  public func denseLayersMicroseconds(tokens: Int, context: Int) -> Double {
    denseLayers.microseconds(tokens: tokens, context: context)
  }
}
