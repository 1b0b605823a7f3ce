import CPUCompute
import DeviceCompute
import Devices
import Models

/// A model's dense weights in device memory, packed and copied once.
final class DeviceWeights {
  let map: DeviceWeightMap
  let byteCounts: [DenseRole: Int]
  /// Why the copies were not pinned, if they were not.
  let pinningRefusal: DeviceError?
  private let memory: DeviceMemory

  /// - Throws: `DeviceError`, `HostMemoryError.cannotAllocate`, `HybridDecodingError`.
  init(
    _ model: DecoderModel, _ placement: DensePlacement, device: any Device,
    stream: any DeviceStream, compute: CPUBackend
  ) throws {
    var measured = WeightPlacer(base: 0)
    _ = try DeviceWeightMap(model, placement, &measured)
    memory = try device.allocate(byteCount: measured.byteCount, purpose: "dense weights")
    var placer = WeightPlacer(base: memory.address)
    map = try DeviceWeightMap(model, placement, &placer)
    byteCounts = placer.byteCounts
    let largestTile = placer.contents.reduce(0) { largest, part in
      if case .tiles(let weights) = part.content {
        return max(largest, weights.packedTileByteCount)
      }
      return largest
    }
    let upload = try StagedUpload(device: device, stream: stream, smallestPiece: largestTile)
    pinningRefusal = upload.pinningRefusal
    for (content, address) in placer.contents {
      try Self.copy(content, to: address, upload, compute)
    }
    try stream.synchronize()
  }

  private static func copy(
    _ content: WeightPlacer.Content, to address: UInt64, _ upload: StagedUpload,
    _ compute: CPUBackend
  ) throws {
    switch content {
    case .numbers(let numbers):
      try upload.copy(
        UnsafeRawBufferPointer(start: numbers.base, count: 4 * numbers.count), to: address)
    case .tiles(let weights):
      let tileByteCount = weights.packedTileByteCount
      let tilesPerPiece = max(1, upload.pieceByteCount / max(1, tileByteCount))
      for first in stride(from: 0, to: weights.packedTileCount, by: tilesPerPiece) {
        let tiles = first..<min(first + tilesPerPiece, weights.packedTileCount)
        try upload.copy(
          byteCount: tiles.count * tileByteCount, to: address + UInt64(first * tileByteCount)
        ) { compute.writeTiles(tiles, of: weights, to: $0) }
      }
    case .keyProjections(let expansion):
      let columns = expansion.plainLength * expansion.latentLength
      let buffer = try ActivationBuffer(
        rowCount: expansion.values.count, columnCount: columns)
      defer { withExtendedLifetime(buffer) {} }
      let rows = buffer.activation
      try compute.loadKeyProjections(expansion, into: rows)
      try upload.copy(
        UnsafeRawBufferPointer(start: rows.base, count: 4 * rows.rowCount * columns), to: address)
    }
  }
}
