import CPUCompute
import DeviceCompute
import Models

extension HybridExecutor {
  /// Bytes of device memory that an executor takes beside its slots, before it is made: what it tells the
  /// device and is told, records between the experts' halves, and biases.
  /// - Parameters:
  ///   - layers: the routed experts by layer number of the file.
  ///   - tokenCapacity: tokens of a step at most.
  ///   - ranks: experts that a token activates.
  /// - Throws: `HybridError` where experts of a layer differ from each other.
  public static func workByteCount(
    _ layers: [Int: ExpertLayer], tokenCapacity: Int, ranks: Int
  ) throws(HybridError) -> Int {
    var layouts: [ExpertSlotLayout] = []
    for (number, layer) in layers { layouts.append(try layer.slotLayout(layer: number)) }
    let pairs = tokenCapacity * ranks
    let hiddenSize = layouts.first?.down.rowCount ?? 0
    let widths = Set(layouts.flatMap { [$0.gate.activationWidth, $0.up.activationWidth] })
    let records = widths.reduce(0) {
      $0
        + RowRecords.byteCount(rowCount: tokenCapacity, columnCount: hiddenSize, width: $1)
    }
    let biases = layers.values.reduce(0) { sum, layer in
      let vectors = [layer.gateBias, layer.upBias, layer.downBias].compactMap(\.self).joined()
      return vectors.reduce(sum) { $0 + 4 * $1.count }
    }
    return 4 * pairs * hiddenSize + 4 * pairs + records
      + GPULane.betweenByteCount(layouts, pairCount: pairs) + biases
  }
}

extension GPULane {
  /// Bytes of the records between the two halves of experts, in the layer that needs most.
  static func betweenByteCount(_ layouts: [ExpertSlotLayout], pairCount: Int) -> Int {
    layouts.reduce(1) { most, layout in
      max(
        most,
        RowRecords.byteCount(
          rowCount: pairCount, columnCount: layout.gate.rowCount,
          width: layout.down.activationWidth))
    }
  }
}
