import ExpertDirection
import HybridDecoding
import HybridExperts
import Inference
import Models
import Placement

/// Memory that the engine takes on a device for a plan. The planner knows a model's sizes in its
/// file; here they are those of packed weights, of real work space and of slots that hold any
/// layer's expert.
struct DeviceNeeds {
  /// All but slots.
  let denseByteCount: Int
  let slotByteCount: Int
  /// Slots beside the cache's.
  let extraSlotCount: Int
  private let layerCount: Int

  /// - Throws: `HybridDecodingError`, `HybridError` for models that the engine cannot run.
  init(_ placed: PlacedModel, _ model: DecoderModel, _ options: SessionOptions, context: Int) throws
  {
    denseByteCount = try HybridDecoder.footprint(
      model, placed.dense, contextLength: context, keyValueType: options.keyValueType,
      chunkTokenCount: min(options.chunkTokenCount, context)
    ).byteCount
    slotByteCount = try HybridExecutor.slotByteCount(model.expertLayers)
    extraSlotCount = placed.system.extraSlots(placed.assumed)
    layerCount = placed.assumed.layerCount
  }

  /// Slots of each layer that memory has room for.
  func slotsPerLayer(in byteCount: Int) -> Int {
    let left = byteCount - denseByteCount - extraSlotCount * slotByteCount
    return max(0, left / max(1, slotByteCount * layerCount))
  }

  /// Bytes with so many slots in the cache.
  func byteCount(slots: Int) -> Int {
    denseByteCount + (slots + (slots > 0 ? extraSlotCount : 0)) * slotByteCount
  }
}
