import ExpertDirection
import Experts
import Placement

/// A machine and a model as the simulator sees them: what each piece of work takes, in microseconds.
///
/// All times come from the profile's own formulas, which the engine's planning uses too; experts'
/// times are those of its cost model.
public struct SimulatedMachine: LaneCosts, Equatable {
  public let profile: MachineProfile
  public let shape: ModelShape
  /// The sizes of each MoE layer's experts on this machine.
  public let footprints: [ExpertFootprint]
  private let denseLayers: [Int]

  /// - Throws: `SimulationError` where the model has no experts, layers of different sizes, or
  ///   experts of an element type that the machine's CPU has no figures for.
  public init(profile: MachineProfile, shape: ModelShape) throws(SimulationError) {
    self.profile = profile
    self.shape = shape
    expertCount = shape.expertCount
    activatedCount = shape.activatedCount
    guard shape.moeLayerCount > 0 else {
      throw .description("The model '\(shape.name)' has no experts; there is nothing to simulate.")
    }
    footprints = (0..<shape.moeLayerCount).map { profile.expertFootprint(of: shape, layer: $0) }
    denseLayers = shape.layers.indices.filter { shape.layers[$0].experts == nil }
    for (layer, footprint) in footprints.enumerated() {
      let experts = shape.expertLayer(layer)
      guard experts.count == shape.expertCount, experts.activated == shape.activatedCount else {
        throw .description(
          "The model '\(shape.name)' has layers with different numbers of experts; the simulator "
            + "plays models whose layers all have the same.")
      }
      guard experts.count <= ExpertSet.limit else {
        throw .description(
          "The model '\(shape.name)' has \(experts.count) experts a layer; the simulator plays up "
            + "to \(ExpertSet.limit).")
      }
      guard profile.costModel.layerCosts(for: footprint) != nil else {
        throw .unmeasuredElementType(footprint.elementType, machine: profile.name)
      }
    }
  }

  /// MoE layers.
  public var layerCount: Int { footprints.count }
  /// Experts of each MoE layer.
  public let expertCount: Int
  /// Experts that each token activates.
  public let activatedCount: Int

  public func linkBytes(ofLayer layer: Int) -> Int { footprints[layer].linkBytes }

  public var link: CostModel.Link { profile.costModel.link }

  /// The costs of every MoE layer in a step of this many tokens.
  public func layerCosts(tokens: Int) -> [LayerCosts] {
    (0..<layerCount).map { layer in
      guard let costs = profile.layerCosts(of: shape, layer: layer, tokens: tokens) else {
        preconditionFailure("the CPU's figures were looked up when the machine was made")
      }
      return costs
    }
  }

  /// What of a MoE layer comes before its routing is known: attention, norms and router.
  public func attentionMicroseconds(layer: Int, tokens: Int, context: Int) -> Double {
    profile.denseMicroseconds(
      of: shape, modelLayer: shape.moeLayers[layer], tokens: tokens, context: context)
  }

  /// The layers without routed experts, which published models have first.
  public func denseLayersMicroseconds(tokens: Int, context: Int) -> Double {
    denseLayers.reduce(0) {
      $0 + profile.denseMicroseconds(of: shape, modelLayer: $1, tokens: tokens, context: context)
    }
  }

  /// The output head, for the last token of a step.
  public var outputMicroseconds: Double { profile.outputMicroseconds(of: shape) }

  /// How long the link takes for bytes, without its latency.
  public func linkMicroseconds(bytes: Int, whileCPUReads: Bool) -> Double {
    let link = profile.costModel.link
    return Double(bytes)
      / (whileCPUReads ? link.overlappedBytesPerMicrosecond : link.bytesPerMicrosecond)
  }
}
