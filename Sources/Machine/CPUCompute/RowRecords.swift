import CKernels

/// Rows of activations in the form that products read: int8 with scales, or F32 (`Docs/ARITHMETIC.md`).
/// It owns nothing: the work space outlives it.
public struct RowRecords {
  let base: UnsafeMutableRawPointer
  public let rowCount: Int
  public let columnCount: Int
  /// How many numbers share a scale: 256, 32, or 0 for F32.
  public let width: Int
  let byteStride: Int

  /// - Parameter base: `byteCount(rowCount:columnCount:width:)` bytes, 64-aligned.
  public init(base: UnsafeMutableRawPointer, rowCount: Int, columnCount: Int, width: Int) {
    self.base = base
    self.rowCount = rowCount
    self.columnCount = columnCount
    self.width = width
    byteStride = RowRecords.byteCount(rowCount: 1, columnCount: columnCount, width: width)
  }

  private init(_ whole: RowRecords, rows: Range<Int>) {
    base = whole.base + rows.lowerBound * whole.byteStride
    rowCount = rows.count
    columnCount = whole.columnCount
    width = whole.width
    byteStride = whole.byteStride
  }

  /// F32 numbers as they lie.
  init(_ x: Activation) {
    base = UnsafeMutableRawPointer(x.base)
    rowCount = x.rowCount
    columnCount = x.columnCount
    width = 0
    byteStride = x.stride * MemoryLayout<Float>.stride
  }

  /// Some rows.
  public func rows(_ range: Range<Int>) -> RowRecords {
    precondition(range.lowerBound >= 0 && range.upperBound <= rowCount)
    return RowRecords(self, rows: range)
  }

  /// Whether both name the same rows of the same memory.
  func isSame(as other: RowRecords) -> Bool {
    base == other.base && byteStride == other.byteStride && rowCount == other.rowCount
      && columnCount == other.columnCount && width == other.width
  }

  func row(_ index: Int) -> UnsafeMutableRawPointer {
    assert(index >= 0 && index < rowCount)
    return base + index * byteStride
  }

  /// Bytes of memory for some rows.
  public static func byteCount(rowCount: Int, columnCount: Int, width: Int) -> Int {
    rowCount * ck_record_offset(columnCount, width, Int32(CK_RECORD_END.rawValue))
  }
}

/// Memory for the records of an activation that several products read, and which of them are up to date.
///
/// Widths that were asked for once are made from then on where the activation itself is made: the norm
/// quantises while a row is in the cache.
public final class RecordSet {
  let narrow: RowRecords
  let wide: RowRecords
  private(set) var wanted: Set<Int> = []
  private var current: Set<Int> = []

  /// - Parameters:
  ///   - narrow: records of width 32.
  ///   - wide: records of width 256.
  public init(narrow: RowRecords, wide: RowRecords) {
    precondition(narrow.width == 32 && wide.width == 256)
    self.narrow = narrow
    self.wide = wide
  }

  func records(ofWidth width: Int) -> RowRecords { width == 32 ? narrow : wide }

  /// Whether the records hold what the activation holds.
  func isCurrent(_ width: Int) -> Bool { current.contains(width) }

  /// The activation has changed; the records of these widths with it.
  func activationChanged(quantized widths: Set<Int>) { current = widths }

  /// Records of a width are asked for and will be made.
  func want(_ width: Int) {
    wanted.insert(width)
    current.insert(width)
  }
}
