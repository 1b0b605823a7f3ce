import ExpertDirection
import Experts

/// Lane costs with measured figures for the experts, and another source's for the dense part.
///
/// Scales follow what running layers take: a machine that throttles or that others use costs more than
/// it did at warm-up.
public struct MeasuredLanes: LaneCosts {
  public var dense: any LaneCosts
  public var model: CostModel
  public var footprints: [ExpertFootprint]
  /// What running layers took ÷ what the model says, by lane.
  public var scales = Scales()

  public struct Scales: Sendable, Equatable {
    public var cpu = 1.0
    public var gpu = 1.0
    public var link = 1.0

    public init() {}

    /// Follows measured ÷ predicted times, where the predictions had these scales already. Bounded: a
    /// machine that seems a hundred times slower than it was is one that was disturbed.
    mutating func follow(_ lane: Lane, _ ratio: Double) {
      func bounded(_ scale: Double) -> Double { min(4, max(0.25, scale * ratio)) }
      switch lane {
      case .cpu: cpu = bounded(cpu)
      case .gpu: gpu = bounded(gpu)
      case .link: link = bounded(link)
      }
    }
  }

  /// - Returns: nil where an element type was not measured or the sizes are of another model.
  public init?(dense: any LaneCosts, model: CostModel, footprints: [ExpertFootprint]) {
    guard footprints.count == dense.layerCount,
      footprints.allSatisfy({ model.layerCosts(for: $0) != nil })
    else { return nil }
    self.dense = dense
    self.model = model
    self.footprints = footprints
  }

  public var layerCount: Int { dense.layerCount }
  public var expertCount: Int { dense.expertCount }
  public var activatedCount: Int { dense.activatedCount }
  public var outputMicroseconds: Double { dense.outputMicroseconds }

  public func linkBytes(ofLayer layer: Int) -> Int { dense.linkBytes(ofLayer: layer) }

  public var link: CostModel.Link {
    var link = model.link
    link.latencyMicroseconds *= scales.link
    link.bytesPerMicrosecond /= scales.link
    link.overlappedBytesPerMicrosecond /= scales.link
    return link
  }

  public func layerCosts(tokens: Int) -> [LayerCosts] {
    let others = dense.layerCosts(tokens: tokens)
    return footprints.indices.map { layer in
      guard var costs = model.layerCosts(for: footprints[layer]) else {
        preconditionFailure("every element type was looked up when this was made")
      }
      costs.cpuFirst *= scales.cpu
      costs.cpuPerExpert *= scales.cpu
      costs.cpuPerToken *= scales.cpu
      costs.gpuPerLaunch *= scales.gpu
      costs.gpuPerExpert *= scales.gpu
      costs.gpuPerToken *= scales.gpu
      costs.linkPerExpert *= scales.link
      costs.linkPerExpertAlone *= scales.link
      costs.sharedOnGPU = others[layer].sharedOnGPU
      return costs
    }
  }

  public func attentionMicroseconds(layer: Int, tokens: Int, context: Int) -> Double {
    dense.attentionMicroseconds(layer: layer, tokens: tokens, context: context)
  }

  public func denseLayersMicroseconds(tokens: Int, context: Int) -> Double {
    dense.denseLayersMicroseconds(tokens: tokens, context: context)
  }
}

/// How a lane's measured times relate to its predicted ones: the middle one of the last, and bounded,
/// because one layer that another program held up says nothing.
struct RatioMedian: Sendable {
  private var ratios: [Double] = []
  private var next = 0
  private static let kept = 33
  private static let bounds = 0.25...4.0

  mutating func add(measured: Double, predicted: Double) {
    guard predicted > 0, measured > 0, measured.isFinite else { return }
    let ratio = measured / predicted
    if ratios.count < Self.kept {
      ratios.append(ratio)
    } else {
      ratios[next] = ratio
      next = (next + 1) % Self.kept
    }
  }

  mutating func clear() {
    ratios.removeAll(keepingCapacity: true)
    next = 0
  }

  /// Nil until enough is known.
  var value: Double? {
    guard ratios.count >= Self.kept / 2 else { return nil }
    let middle = ratios.sorted()[ratios.count / 2]
    return min(Self.bounds.upperBound, max(Self.bounds.lowerBound, middle))
  }
}
