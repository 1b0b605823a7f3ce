import Models

extension HybridDecoder {
  /// The memory that a decoder would take, before it is made.
  /// - Parameter chunkTokenCount: tokens of a step at most.
  /// - Throws: `HybridDecodingError`, `ModelError` for models that it cannot decode.
  public static func footprint(
    _ model: DecoderModel, _ placement: DensePlacement = DensePlacement(), contextLength: Int,
    keyValueType: KeyValueType, chunkTokenCount: Int
  ) throws -> DeviceFootprint {
    try requireSupported(model, placement)
    return try TrialRun(
      model, placement, contextLength: contextLength, keyValueType: keyValueType,
      chunkTokenCount: chunkTokenCount
    ).footprint
  }
}
