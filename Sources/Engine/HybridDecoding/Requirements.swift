import CGPUKernels
import CPUCompute
import HybridExperts
import Models

extension HybridDecoder {
  /// Shared memory that a block may have on every device that is supported: 99 KiB (compute capability
  /// 8.6, 8.9 and 12.0; others have more. CUDA C++ Programming Guide, "Technical Specifications per
  /// Compute Capability").
  private static let sharedByteCount = 99 << 10

  /// Refuses what no kernel can compute, before anything is loaded, and layers that the model does not have.
  static func requireSupported(_ model: DecoderModel, _ placement: DensePlacement) throws {
    let layerCount = model.layers.count
    if let wrong = placement.hostLayers.sorted().first(where: { $0 < 0 || $0 >= layerCount }) {
      throw HybridDecodingError.noLayer(asked: wrong, layerCount: layerCount)
    }
    for (index, layer) in model.layers.enumerated() where !placement.hostLayers.contains(index) {
      let shape = layer.attention.cacheShape
      let length = UInt32(clamping: shape.keyLength)
      let shared = gpu_attention_shared(length, UInt32(clamping: shape.valueLength ?? Int(length)))
      if Int(shared) > sharedByteCount {
        throw HybridDecodingError.unsupported(
          layer: index, what: "attention with heads of \(shape.keyLength) numbers")
      }
      guard case .experts(let block) = layer.feedForward else { continue }
      let router = block.router
      let scores = gpu_route_shared(
        UInt32(clamping: router.expertCount), UInt32(clamping: router.activeCount),
        UInt32(clamping: router.groupCount))
      if Int(scores) > sharedByteCount {
        throw HybridDecodingError.unsupported(
          layer: index, what: "router of \(router.expertCount) experts")
      }
    }
  }

  /// Refuses an exchange that is too small for the steps, or of another model.
  static func requireFitting(_ exchange: LayerExchange, _ setup: SequenceSetup) throws {
    let shape = setup.model.hyperparameters
    let expected =
      "\(setup.chunkTokenCount) tokens, hidden size \(shape.hiddenSize), "
      + "\(shape.activeExpertCount) of \(shape.expertCount) experts"
    let found =
      "\(exchange.tokenCapacity) tokens, hidden size \(exchange.hiddenSize), "
      + "\(exchange.ranks) of \(exchange.expertCount) experts"
    guard exchange.tokenCapacity >= setup.chunkTokenCount,
      exchange.hiddenSize == shape.hiddenSize, exchange.ranks == shape.activeExpertCount,
      exchange.expertCount == shape.expertCount
    else { throw HybridDecodingError.wrongExchange(expected: expected, found: found) }
  }
}
