import DeviceCompute
import Models

extension HybridExecutor {
  /// Bytes of one slot: it holds any layer's expert.
  /// - Parameter layers: the routed experts by layer number of the file.
  public static func slotByteCount(_ layers: [Int: ExpertLayer]) -> Int {
    var largest = 0
    for layer in layers.values where layer.expertCount > 0 {
      let slot = ExpertSlotLayout(gate: layer.gate[0], up: layer.up[0], down: layer.down[0])
      largest = max(largest, slot.byteCount)
    }
    return largest
  }
}
