import Models

extension HybridExecutor {
  /// Bytes of one slot: it holds any layer's expert.
  /// - Parameter layers: the routed experts by layer number of the file.
  /// - Throws: `HybridError` where experts of a layer differ from each other.
  public static func slotByteCount(_ layers: [Int: ExpertLayer]) throws(HybridError) -> Int {
    var largest = 0
    for (number, layer) in layers {
      largest = max(largest, try layer.slotLayout(layer: number).byteCount)
    }
    return largest
  }
}
