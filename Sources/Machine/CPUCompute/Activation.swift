import HostMemory

/// A view of rows of F32 numbers inside a work space: [rowCount, columnCount], row-major, `stride`
/// floats from row to row. It owns nothing: the work space outlives it.
public struct Activation {
  public let base: UnsafeMutablePointer<Float>
  public let rowCount: Int
  public let columnCount: Int
  public let stride: Int
  /// Where these rows are kept quantised, for activations that several products read.
  let records: RecordSet?
  /// The first row's number among those of `records`.
  private let firstRecord: Int

  public init(
    base: UnsafeMutablePointer<Float>, rowCount: Int, columnCount: Int, stride: Int,
    records: RecordSet? = nil
  ) {
    self.init(base, rowCount, columnCount, stride, records, firstRecord: 0)
  }

  private init(
    _ base: UnsafeMutablePointer<Float>, _ rowCount: Int, _ columnCount: Int, _ stride: Int,
    _ records: RecordSet?, firstRecord: Int
  ) {
    precondition(rowCount >= 0 && columnCount >= 0 && stride >= columnCount)
    self.records = records
    self.firstRecord = firstRecord
    self.base = base
    self.rowCount = rowCount
    self.columnCount = columnCount
    self.stride = stride
  }

  /// One row.
  public func row(_ index: Int) -> UnsafeMutablePointer<Float> {
    assert(index >= 0 && index < rowCount)
    return base + index * stride
  }

  /// The first `count` rows.
  public func prefix(rows count: Int) -> Activation {
    precondition(count <= rowCount)
    return rows(0..<count)
  }

  /// Some rows.
  public func rows(_ range: Range<Int>) -> Activation {
    precondition(range.lowerBound >= 0 && range.upperBound <= rowCount)
    return Activation(
      base + range.lowerBound * stride, range.count, columnCount, stride, records,
      firstRecord: firstRecord + range.lowerBound)
  }

  /// The same rows, some columns.
  public func columns(_ range: Range<Int>) -> Activation {
    precondition(range.lowerBound >= 0 && range.upperBound <= columnCount)
    return Activation(
      base: base + range.lowerBound, rowCount: rowCount, columnCount: range.count, stride: stride)
  }

  /// These rows among the records of a width.
  func records(ofWidth width: Int) -> RowRecords? {
    guard let records else { return nil }
    return records.records(ofWidth: width).rows(firstRecord..<(firstRecord + rowCount))
  }

  /// The widths that products have asked for, where these are all the rows that are kept.
  var recordWidths: Set<Int> {
    guard let records, rowCount == records.wide.rowCount else { return [] }
    return records.wanted
  }

  /// Says that the rows have new content, and which records were made with it.
  func changed(quantized widths: Set<Int>) { records?.activationChanged(quantized: widths) }

  /// A copy of one row.
  public func values(ofRow index: Int) -> [Float] {
    Array(UnsafeBufferPointer(start: row(index), count: columnCount))
  }
}

/// Memory for one activation, allocated once.
public final class ActivationBuffer {
  private let memory: AlignedBuffer
  public let activation: Activation

  /// - Throws: `HostMemoryError.cannotAllocate`.
  public init(rowCount: Int, columnCount: Int) throws(HostMemoryError) {
    memory = try AlignedBuffer(
      byteCount: rowCount * columnCount * MemoryLayout<Float>.stride, purpose: "work space")
    activation = Activation(
      base: memory.base.bindMemory(to: Float.self, capacity: rowCount * columnCount),
      rowCount: rowCount, columnCount: columnCount, stride: columnCount)
  }

  /// A view of the first rows.
  public func callAsFunction(rows count: Int) -> Activation { activation.prefix(rows: count) }
}
