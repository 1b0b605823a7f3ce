import Devices
import HybridExperts
import Models

/// A part of a step: what is submitted together.
enum DecoderPart: Equatable {
  /// A layer that the device computes alone.
  case dense(layer: Int)
  /// A layer whose experts the host serves.
  case experts(layer: Int)
  /// Layers that the host computes.
  case host(Range<Int>)
}

extension DecoderModel {
  /// The parts of a step, in order.
  func parts(_ placement: DensePlacement) -> [DecoderPart] {
    var parts: [DecoderPart] = []
    for (index, layer) in layers.enumerated() {
      if placement.hostLayers.contains(index) {
        if case .host(let range)? = parts.last {
          parts[parts.count - 1] = .host(range.lowerBound..<index + 1)
        } else {
          parts.append(.host(index..<index + 1))
        }
      } else if case .experts = layer.feedForward {
        parts.append(.experts(layer: index))
      } else {
        parts.append(.dense(layer: index))
      }
    }
    return parts
  }
}

/// The exchange of a model's MoE layers.
extension LayerExchange {
  /// Makes what a decoder of this model and the server of its MoE layers share.
  /// - Parameter tokenCapacity: tokens of a chunk.
  /// - Throws: `DeviceError`.
  public convenience init(
    device: any Device, model: DecoderModel, placement: DensePlacement = DensePlacement(),
    tokenCapacity: Int
  ) throws(DeviceError) {
    var widths: Set<Int> = []
    for (index, layer) in model.expertLayers where !placement.hostLayers.contains(index) {
      for weights in [layer.gate.first, layer.up.first] {
        if let weights { widths.insert(weights.activationWidth) }
      }
    }
    try self.init(
      device: device, tokenCapacity: tokenCapacity, ranks: model.hyperparameters.activeExpertCount,
      expertCount: model.hyperparameters.expertCount,
      hiddenSize: model.hyperparameters.hiddenSize, widths: widths,
      foreseenLayerCount: DecoderModel.predictedLayerCount)
  }
}
