import CPUCompute
import Devices

/// Host memory as the link reads it fastest: pinned where that is granted, through pinned pieces where
/// it is not, and through the driver's own staging as a last resort.
///
/// The packed weights are pinned chunk by chunk when an expert in them is copied for the first time, up
/// to a budget: pinned pages can never be swapped out, so the system limits them. Not for two threads at
/// once, but for the pinning of chunks.
final class PinnedSource {
  private let device: any Device
  private let marks: EventPool
  let chunks: PinnedChunks
  /// Bytes that were copied through staging pieces, and those that not even these could take.
  private(set) var stagedByteCount = 0
  /// Of the former, those that lie where nothing can be pinned.
  private(set) var unpinnableByteCount = 0
  private(set) var pageableByteCount = 0
  private var staging: PinnedMemory?
  private var stagingPiece = 0
  private var stagingMarks: [StreamMark?] = []
  private var ownPiece: UnsafeMutableRawPointer?
  private var pieceByteCount: Int

  /// - Parameter store: where packed weights lie; nil: they are packed on the way.
  /// - Throws: `DeviceError` other than for want of memory.
  init(
    _ device: any Device, store: PackedStore?, marks: EventPool, budget: PinnedBudget,
    largestTile: Int
  ) throws(DeviceError) {
    self.device = device
    self.marks = marks
    chunks = PinnedChunks(device, store: store, budget: budget)
    pieceByteCount = (max(budget.stagingByteCount, largestTile) + 255) / 256 * 256
    do throws(DeviceError) {
      staging = try device.allocatePinned(
        byteCount: budget.stagingCount * pieceByteCount, purpose: "pieces of experts")
      stagingMarks = Array(repeating: nil, count: budget.stagingCount)
    } catch {
      guard error.isShortage else { throw error }
      chunks.refuse("\(error)")
    }
  }

  deinit { ownPiece?.deallocate() }

  /// Submits a copy of bytes that stay as they are.
  func copy(
    _ bytes: UnsafeRawBufferPointer, to target: UInt64, on stream: any DeviceStream
  ) throws(DeviceError) {
    var done = 0
    while done < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
      if let span = try chunks.pinned(rest) {
        try stream.copy(from: span, to: target + UInt64(done))
        done += span.byteCount
      } else {
        let count = min(rest.count, pieceByteCount, chunks.toChunkEnd(rest))
        try stage(byteCount: count, to: target + UInt64(done), on: stream) { piece in
          if let base = rest.baseAddress { piece.copyMemory(from: base, byteCount: count) }
          return 0..<count
        }
        if !chunks.canPin(rest) { unpinnableByteCount += count }
        done += count
      }
    }
  }

  /// Submits a copy of bytes that `fill` makes.
  /// - Parameters:
  ///   - byteCount: what `fill` may write, at most a staging piece.
  ///   - fill: returns which of the bytes are wanted.
  func make(
    byteCount: Int, to target: UInt64, on stream: any DeviceStream,
    _ fill: (UnsafeMutableRawPointer) -> Range<Int>
  ) throws(DeviceError) {
    unpinnableByteCount += byteCount
    try stage(byteCount: byteCount, to: target, on: stream, fill)
  }

  private func stage(
    byteCount: Int, to target: UInt64, on stream: any DeviceStream,
    _ fill: (UnsafeMutableRawPointer) -> Range<Int>
  ) throws(DeviceError) {
    precondition(byteCount <= pieceByteCount)
    guard let staging else { return try makePageable(to: target, on: stream, fill) }
    let piece = stagingPiece
    stagingPiece = (piece + 1) % stagingMarks.count
    // What was in the piece may still be on its way.
    if let mark = stagingMarks[piece] { try mark.event.synchronize() }
    let wanted = fill(staging.base + piece * pieceByteCount)
    try stream.copy(
      from: staging.span(piece * pieceByteCount + wanted.lowerBound, byteCount: wanted.count),
      to: target)
    stagingMarks[piece] = try marks.mark(stream)
    stagedByteCount += wanted.count
  }

  private func makePageable(
    to target: UInt64, on stream: any DeviceStream,
    _ fill: (UnsafeMutableRawPointer) -> Range<Int>
  ) throws(DeviceError) {
    let piece = ownPiece ?? .allocate(byteCount: pieceByteCount, alignment: 256)
    ownPiece = piece
    let wanted = fill(piece)
    try stream.copyPageable(
      from: UnsafeRawBufferPointer(start: piece + wanted.lowerBound, count: wanted.count),
      to: target)
    pageableByteCount += wanted.count
  }
}
