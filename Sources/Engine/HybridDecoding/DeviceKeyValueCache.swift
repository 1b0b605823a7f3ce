import DeviceCompute
import Devices
import Models

/// Keys and values of one sequence on a device, for the layers that the device computes; laid out as the
/// host's cache.
final class DeviceKeyValueCache {
  struct Layer {
    var keys: DeviceCacheRows
    /// nil: a value is part of its key.
    var values: DeviceCacheRows?
  }

  /// nil: the layer's keys and values are elsewhere.
  let layers: [Layer?]
  let byteCount: Int
  private let memory: DeviceMemory

  /// - Throws: `DeviceError`.
  init(
    _ model: DecoderModel, _ placement: DensePlacement, type: KeyValueType, capacity: Int,
    device: any Device
  ) throws(DeviceError) {
    var end = 0
    var layers: [Layer?] = []
    for (index, shape) in model.cacheShapes.enumerated() {
      guard !placement.hostLayers.contains(index) else {
        layers.append(nil)
        continue
      }
      func rows(_ length: Int) -> DeviceCacheRows {
        let rows = DeviceCacheRows(
          address: UInt64(end), headCount: shape.headCount, length: length,
          type: type.elementType, capacity: capacity)
        end += (rows.byteCount + 255) / 256 * 256
        return rows
      }
      let keys = rows(shape.keyLength)
      layers.append(Layer(keys: keys, values: shape.valueLength.map(rows)))
    }
    byteCount = end
    memory = try device.allocate(byteCount: max(end, 1), purpose: "the KV cache")
    let base = memory.address
    self.layers = layers.map { layer in
      guard var layer else { return nil }
      layer.keys.address += base
      layer.values?.address += base
      return layer
    }
  }
}
