import HostMemory

/// Memory for the activations of a step, handed out in order and taken back all at once.
///
/// It grows during the first steps and then serves every later one without a system call.
public final class Workspace {
  private var chunks: [AlignedBuffer] = []
  private var chunkIndex = 0
  private var offset = 0
  private static let smallestChunk = 1 << 20
  /// Kernels read whole cache lines: the last row's may reach this far behind what was asked for.
  private static let slackBytes = 64

  public init() {}

  /// A mark to return to.
  public struct Mark {
    fileprivate let chunkIndex: Int
    fileprivate let offset: Int
  }

  public var mark: Mark { Mark(chunkIndex: chunkIndex, offset: offset) }

  /// Takes back all that was handed out since the mark.
  public func release(to mark: Mark) {
    chunkIndex = mark.chunkIndex
    offset = mark.offset
  }

  /// An activation of unspecified content.
  /// - Parameter keepsRecords: for activations that several products read: they are quantised once.
  /// - Throws: `HostMemoryError.cannotAllocate`.
  public func take(rows: Int, columns: Int, keepsRecords: Bool = false) throws -> Activation {
    let stride = (columns + 15) / 16 * 16
    let base = try takeBytes(rows * stride * MemoryLayout<Float>.stride)
      .assumingMemoryBound(to: Float.self)
    let records =
      keepsRecords
      ? RecordSet(
        narrow: try takeRecords(rows: rows, columns: columns, width: 32),
        wide: try takeRecords(rows: rows, columns: columns, width: 256)) : nil
    return Activation(
      base: base, rowCount: rows, columnCount: columns, stride: stride, records: records)
  }

  /// Records of unspecified content.
  /// - Parameter width: how many numbers share a scale: 256, 32, or 0 for F32.
  /// - Throws: `HostMemoryError.cannotAllocate`.
  public func takeRecords(rows: Int, columns: Int, width: Int) throws -> RowRecords {
    let byteCount = RowRecords.byteCount(rowCount: rows, columnCount: columns, width: width)
    return RowRecords(
      base: try takeBytes(byteCount), rowCount: rows, columnCount: columns, width: width)
  }

  /// Bytes that begin on a cache line.
  func takeBytes(_ count: Int) throws -> UnsafeMutableRawPointer {
    let byteCount = (max(count, 64) + 63) / 64 * 64
    while chunkIndex < chunks.count,
      offset + byteCount + Self.slackBytes > chunks[chunkIndex].byteCount
    {
      chunkIndex += 1
      offset = 0
    }
    if chunkIndex == chunks.count {
      let largest = chunks.last?.byteCount ?? 0
      chunks.append(
        try AlignedBuffer(
          byteCount: max(byteCount + Self.slackBytes, Workspace.smallestChunk, largest),
          purpose: "activations"))
      offset = 0
    }
    defer { offset += byteCount }
    return chunks[chunkIndex].base + offset
  }
}
