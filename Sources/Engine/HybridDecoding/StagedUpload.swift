import CPUCompute
import DeviceCompute
import Devices
import HostMemory

/// Copies to a device, through two halves of a bounded pinned buffer: one is filled while the other is
/// copied. Where the system pins nothing, the driver stages the copies itself, which is slower.
final class StagedUpload {
  /// Bytes of a half: long enough for the link's full speed, and no burden to pin.
  private static let halfByteCount = 4 << 20

  private enum Staging {
    case pinned(PinnedMemory, [any DeviceEvent])
    case pageable(AlignedBuffer)
  }

  private let stream: any DeviceStream
  private let staging: Staging
  /// What is copied at once.
  let pieceByteCount: Int
  /// Why the copies are not pinned, if they are not.
  let pinningRefusal: DeviceError?
  private var next = 0

  /// - Parameter smallestPiece: bytes that must fit in one piece.
  /// - Throws: `DeviceError`, `HostMemoryError.cannotAllocate`.
  init(device: any Device, stream: any DeviceStream, smallestPiece: Int) throws {
    self.stream = stream
    pieceByteCount = max(Self.halfByteCount, (smallestPiece + 63) / 64 * 64)
    do {
      let memory = try device.allocatePinned(
        byteCount: 2 * pieceByteCount, purpose: "copies of weights")
      staging = .pinned(memory, [try device.makeEvent(), try device.makeEvent()])
      pinningRefusal = nil
    } catch {
      guard case .cannotPin = error else { throw error }
      staging = .pageable(
        try AlignedBuffer(byteCount: pieceByteCount, purpose: "copies of weights"))
      pinningRefusal = error
    }
  }

  /// Copies one piece.
  /// - Parameter fill: writes the bytes.
  /// - Throws: `DeviceError`.
  func copy(
    byteCount: Int, to address: UInt64, _ fill: (UnsafeMutableRawPointer) throws -> Void
  ) throws {
    precondition(byteCount <= pieceByteCount)
    switch staging {
    case .pinned(let memory, let events):
      let half = next % 2
      next += 1
      try events[half].synchronize()
      let span = memory.span(half * pieceByteCount, byteCount: byteCount)
      try fill(span.base)
      try stream.copy(from: span, to: address)
      try stream.record(events[half])
    case .pageable(let buffer):
      try fill(buffer.base)
      try stream.copyPageable(
        from: UnsafeRawBufferPointer(start: buffer.base, count: byteCount), to: address)
    }
  }

  /// Copies bytes that lie in host memory, piece after piece.
  /// - Throws: `DeviceError`.
  func copy(_ bytes: UnsafeRawBufferPointer, to address: UInt64) throws {
    for start in stride(from: 0, to: bytes.count, by: pieceByteCount) {
      let part = UnsafeRawBufferPointer(
        rebasing: bytes[start..<min(start + pieceByteCount, bytes.count)])
      try copy(byteCount: part.count, to: address + UInt64(start)) { target in
        if let from = part.baseAddress { target.copyMemory(from: from, byteCount: part.count) }
      }
    }
  }
}
