import ExpertDirection
import HybridDecoding
import HybridExperts
import Inference
import Models
import Placement

/// Memory that the engine takes on a device for a placement, to the byte: the decoder and the executor
/// say it themselves.
struct DeviceNeeds {
  private let model: DecoderModel
  private let options: SessionOptions
  private let context: Int
  private let chunkTokenCount: Int

  /// - Throws: `HostMemoryError` for models that need too much work space.
  init(_ model: DecoderModel, _ options: SessionOptions, context: Int) throws {
    self.model = model
    self.options = options
    self.context = context
    chunkTokenCount = try SequenceRunner.chunkTokenCount(model, options, contextLength: context)
  }

  /// - Parameter extraSlots: slots beside the cache's.
  /// - Throws: `HybridDecodingError`, `HybridError` for models that the engine cannot run.
  func sizes(_ placement: DensePlacement, extraSlots: Int = 0) throws -> EngineSizes {
    let footprint = try HybridDecoder.footprint(
      model, placement, contextLength: context, keyValueType: options.keyValueType,
      chunkTokenCount: chunkTokenCount)
    func bytes(_ roles: DenseRole...) -> Int {
      roles.reduce(0) { $0 + (footprint.weightByteCounts[$1] ?? 0) }
    }
    var sizes = EngineSizes()
    sizes.attention = bytes(.attention, .keyProjections, .norms)
    sizes.keyValueCache = footprint.cacheByteCount
    sizes.feedForward = bytes(.routers, .sharedExperts, .denseFeedForward)
    sizes.output = bytes(.outputHead)
    sizes.workspace =
      try footprint.workspaceByteCount
      + HybridExecutor.workByteCount(
        model.expertLayers, tokenCapacity: chunkTokenCount,
        ranks: model.hyperparameters.activeExpertCount)
    sizes.slot = try HybridExecutor.slotByteCount(model.expertLayers)
    sizes.extraSlots = extraSlots
    return sizes
  }
}
