import DeviceCompute

/// Device memory for the activations of a step, handed out in order and taken back all at once. All that
/// uses it runs in one stream, so that memory which was taken back may be handed out while work that
/// reads it is still to run: what writes it next runs later.
final class DeviceArena {
  let base: UInt64
  private let byteCount: Int
  private(set) var mark = 0
  /// The most that was handed out at once.
  private(set) var highest = 0

  /// - Parameter byteCount: as a trial run of the largest steps measured it.
  init(base: UInt64, byteCount: Int) {
    self.base = base
    self.byteCount = byteCount
  }

  /// Takes back all that was handed out since the mark.
  func release(to mark: Int) { self.mark = mark }

  func take(byteCount count: Int) -> UInt64 {
    let size = (max(count, 1) + 255) / 256 * 256
    precondition(mark + size <= byteCount, "the step is larger than those that were measured")
    defer {
      mark += size
      highest = max(highest, mark)
    }
    return base + UInt64(mark)
  }

  /// Rows of F32 that are records of width 0 too: each begins on a cache line.
  func rows(_ rowCount: Int, columns: Int) -> DeviceRows {
    let stride = (columns + 15) / 16 * 16
    return DeviceRows(
      address: take(byteCount: 4 * rowCount * stride), rowCount: rowCount, columnCount: columns,
      stride: stride)
  }

  func records(_ rowCount: Int, columns: Int, width: Int) -> DeviceRecords {
    var records = DeviceRecords(
      address: 0, rowCount: rowCount, columnCount: columns, width: width)
    records.address = take(byteCount: records.byteCount)
    return records
  }
}
