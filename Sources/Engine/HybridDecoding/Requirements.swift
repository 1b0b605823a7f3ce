import CPUCompute
import HybridExperts
import Models

extension HybridDecoder {
  /// Refuses a placement that the model does not have.
  static func requireSupported(_ model: DecoderModel, _ placement: DensePlacement) throws {
    let layerCount = model.layers.count
    if let wrong = placement.hostLayers.sorted().first(where: { $0 < 0 || $0 >= layerCount }) {
      throw HybridDecodingError.noLayer(asked: wrong, layerCount: layerCount)
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
