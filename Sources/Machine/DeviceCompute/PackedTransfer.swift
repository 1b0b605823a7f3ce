import CPUCompute
import Devices
import HostMemory

/// Brings what is read whole at the start to the device: packed matrices, vectors, tables.
///
/// Matrices are packed straight into one of two pinned buffers while the other one is copied, so that nothing
/// but these two needs to be pinned, and no packed copy stays on the host.
public final class PackedTransfer {
  private struct Buffer {
    let memory: PinnedMemory
    /// Reached when the last copy from the memory is done.
    let isFree: any DeviceEvent
  }

  private let compute: CPUBackend
  private let stream: any DeviceStream
  private var buffers: [Buffer] = []
  private var next = 0

  /// - Parameter bufferByteCount: of each of the two buffers; at least one tile of every matrix.
  /// - Throws: `DeviceError`.
  public init(
    _ device: any Device, on stream: any DeviceStream, compute: CPUBackend,
    bufferByteCount: Int = 8 << 20
  ) throws(DeviceError) {
    self.compute = compute
    self.stream = stream
    for _ in 0..<2 {
      buffers.append(
        Buffer(
          memory: try device.allocatePinned(
            byteCount: bufferByteCount, purpose: "bringing weights to the device"),
          isFree: try device.makeEvent()))
    }
  }

  /// Copies a matrix's packed tiles to `address`. The copy is submitted, not done, when the call returns.
  /// - Throws: `DeviceError`; `DeviceError.refused` where a tile is larger than a buffer.
  public func upload(_ weights: WeightMatrix, to address: UInt64) throws(DeviceError) {
    let tileByteCount = weights.tileByteCount
    let tilesPerPiece = tileByteCount == 0 ? 0 : buffers[0].memory.byteCount / tileByteCount
    guard tilesPerPiece > 0 else {
      throw .refused(
        operation: "packing a matrix of \(weights.type.name) for the device",
        reason: "a tile has \(tileByteCount) bytes, a buffer \(buffers[0].memory.byteCount)")
    }
    for first in stride(from: 0, to: weights.tileCount, by: tilesPerPiece) {
      let tiles = first..<min(first + tilesPerPiece, weights.tileCount)
      try send(
        byteCount: tiles.count * tileByteCount, to: address + UInt64(first * tileByteCount)
      ) { compute.copyTiles(tiles, of: weights, into: $0) }
    }
  }

  /// Copies bytes to `address`; they may change when the call returns.
  /// - Throws: `DeviceError`.
  public func upload(
    _ bytes: UnsafeRawBufferPointer, to address: UInt64
  ) throws(DeviceError) {
    let most = buffers[0].memory.byteCount
    for first in stride(from: 0, to: bytes.count, by: most) {
      let part = UnsafeRawBufferPointer(rebasing: bytes[first..<min(first + most, bytes.count)])
      try send(byteCount: part.count, to: address + UInt64(first)) { target in
        if let start = part.baseAddress { target.copyMemory(from: start, byteCount: part.count) }
      }
    }
  }

  /// Copies numbers to `address`, such as a norm's weights.
  /// - Throws: `DeviceError`.
  public func upload(_ numbers: FloatVector, to address: UInt64) throws(DeviceError) {
    try upload(
      UnsafeRawBufferPointer(start: numbers.base, count: 4 * numbers.count), to: address)
  }

  /// Returns when everything is there.
  /// - Throws: `DeviceError`.
  public func finish() throws(DeviceError) { try stream.synchronize() }

  /// Fills the next buffer when it is free, and copies it.
  private func send(
    byteCount: Int, to address: UInt64, fill: (UnsafeMutableRawPointer) -> Void
  ) throws(DeviceError) {
    let buffer = buffers[next]
    next = (next + 1) % buffers.count
    try buffer.isFree.synchronize()
    fill(buffer.memory.base)
    try stream.copy(from: buffer.memory.span(0, byteCount: byteCount), to: address)
    try stream.record(buffer.isFree)
  }
}
