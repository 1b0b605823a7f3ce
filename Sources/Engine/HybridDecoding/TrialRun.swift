import CPUCompute
import DeviceCompute
import Devices
import Experts
import HybridExperts
import Models

/// The largest steps of a decoder, submitted to a device that does nothing: what memory they take, and how
/// many operations.
struct TrialRun {
  let footprint: DeviceFootprint
  /// How many parts may be submitted beyond the one that the host is at.
  let partsAhead: Int
  /// Operations of the part that has most of them.
  let operationCount: Int

  /// Operations that may wait in a stream. A driver's queue holds about a thousand; one more blocks the
  /// caller until the stream has moved on, which it cannot where it waits for that same caller.
  private static let mostOperations = 500
  private static let mostPartsAhead = 4

  init(
    _ model: DecoderModel, _ placement: DensePlacement, contextLength: Int,
    keyValueType: KeyValueType, chunkTokenCount asked: Int,
    limits: DeviceStep.Limits = DeviceStep.Limits()
  ) throws {
    let chunkTokenCount = min(asked, contextLength)
    let device = SilentDevice()
    let stream = SilentStream()
    var placer = WeightPlacer(base: 0)
    let map = try DeviceWeightMap(model, placement, &placer)
    let cache = try DeviceKeyValueCache(
      model, placement, type: keyValueType, capacity: contextLength, device: device)
    let exchange = try LayerExchange(
      device: device, model: model, placement: placement, tokenCapacity: chunkTokenCount)
    let arena = DeviceArena(base: 1 << 40, byteCount: .max / 2)
    let step = DeviceStep(
      model, operations: try DeviceOperations(device), stream: stream, arena: arena, map: map,
      cache: cache, exchange: exchange, waitsForMemory: true, limits: limits,
      onPoint: { _ in stream.record(device.makeEvent()) })
    let inputs = try StepInputs(model, tokenCapacity: chunkTokenCount, device: device)
    let layout = inputs.layout(tokenCount: chunkTokenCount)
    var most = 1
    for phase in Phase.allCases {
      // Attention's scratch is largest for all rows at the end of the context.
      try step.begin(
        inputs.span(layout), layout, position: contextLength - chunkTokenCount, phase: phase)
      for part in model.parts(placement) {
        if case .host = part { continue }
        let before = stream.operationCount
        _ = try step.submit(part) { 0 }
        most = max(most, stream.operationCount - before)
      }
      try step.submitFinalNorm(rows: 0..<chunkTokenCount)
      let rows = min(OutputRows.rowsAtOnce, chunkTokenCount)
      let target = try device.pin(exchange.ids.base, byteCount: 4 * rows * step.outputStride)
      try step.submitOutput(rows: 0..<rows, to: target.span(0, byteCount: target.byteCount))
    }
    operationCount = most
    partsAhead = min(Self.mostPartsAhead, Self.mostOperations / most)
    var footprint = DeviceFootprint()
    footprint.weightByteCounts = placer.byteCounts
    footprint.cacheByteCount = cache.byteCount
    footprint.workspaceByteCount = arena.highest
    footprint.exchangeByteCount =
      exchange.deviceRows.byteCount + exchange.deviceWeights.byteCount
      + exchange.records.values.reduce(0) { $0 + $1.device.byteCount }
    footprint.pinnedByteCount =
      inputs.byteCount + exchange.hostRows.memory.byteCount
      + OutputRows.byteCount(step, tokenCapacity: chunkTokenCount)
    self.footprint = footprint
  }
}

extension HybridDecoder {
  /// Memory that a model's dense side would take, without a device.
  /// - Throws: `HybridDecodingError` where the device could not compute it.
  public static func footprint(
    of model: DecoderModel, placement: DensePlacement = DensePlacement(), contextLength: Int,
    keyValueType: KeyValueType, chunkTokenCount: Int
  ) throws -> DeviceFootprint {
    try requireSupported(model, placement)
    return try TrialRun(
      model, placement, contextLength: contextLength, keyValueType: keyValueType,
      chunkTokenCount: chunkTokenCount
    ).footprint
  }
}
