import CKernels
import CPUCompute
import Tensors

/// A packed matrix in device memory: tiles of sixteen rows (`ckernels_packed.h`), [rowCount, columnCount].
/// It owns nothing: the memory outlives it.
public struct DeviceMatrix: Sendable, Equatable {
  /// Of the first tile, 64-aligned. For an expert's matrix the distance in bytes from its slot's begin.
  public var address: UInt64
  public var rowCount: Int
  public var columnCount: Int
  public var type: ElementType

  public init(address: UInt64, rowCount: Int, columnCount: Int, type: ElementType) {
    self.address = address
    self.rowCount = rowCount
    self.columnCount = columnCount
    self.type = type
  }

  /// The shape of a host's matrix, packed at an address.
  public init(address: UInt64, shapeOf weights: WeightMatrix) {
    self.init(
      address: address, rowCount: weights.rowCount, columnCount: weights.columnCount,
      type: weights.type)
  }

  public var tileCount: Int { (rowCount + 15) / 16 }
  /// Bytes of one tile.
  public var tileByteCount: Int { ck_tile_bytes(type.rawValue, columnCount) }
  /// Bytes of all tiles.
  public var byteCount: Int { tileCount * tileByteCount }
  /// How many numbers share a scale in the records that meet these weights: 256, 32, or 0 for F32.
  public var activationWidth: Int { ck_activation_width(type.rawValue) }
}

/// Rows of F32 in memory that kernels reach: [rowCount, columnCount], row-major, `stride` numbers from row
/// to row. It owns nothing.
public struct DeviceRows: Sendable, Equatable {
  public var address: UInt64
  public var rowCount: Int
  public var columnCount: Int
  public var stride: Int

  /// - Parameter stride: numbers from row to row; nil: rows lie side by side.
  public init(address: UInt64, rowCount: Int, columnCount: Int, stride: Int? = nil) {
    self.address = address
    self.rowCount = rowCount
    self.columnCount = columnCount
    self.stride = stride ?? columnCount
  }

  /// Some rows.
  public func rows(_ range: Range<Int>) -> DeviceRows {
    precondition(range.lowerBound >= 0 && range.upperBound <= rowCount)
    return DeviceRows(
      address: address + UInt64(4 * range.lowerBound * stride), rowCount: range.count,
      columnCount: columnCount, stride: stride)
  }

  /// The same rows, some columns.
  public func columns(_ range: Range<Int>) -> DeviceRows {
    precondition(range.lowerBound >= 0 && range.upperBound <= columnCount)
    return DeviceRows(
      address: address + UInt64(4 * range.lowerBound), rowCount: rowCount,
      columnCount: range.count, stride: stride)
  }
}

/// Parts of rows, one for each head: row r of head h begins at `first`'s row r, h · `headStride` numbers
/// further on.
public struct DeviceHeads: Sendable, Equatable {
  /// The rows of head 0.
  public var first: DeviceRows
  public var headCount: Int
  /// Numbers from head to head.
  public var headStride: Int

  public init(first: DeviceRows, headCount: Int, headStride: Int) {
    self.first = first
    self.headCount = headCount
    self.headStride = headStride
  }

  /// One head.
  public init(_ rows: DeviceRows) {
    self.init(first: rows, headCount: 1, headStride: rows.columnCount)
  }
}

/// Rows in the form that products read (`ckernels_packed.h`), `byteStride` bytes each. It owns nothing.
public struct DeviceRecords: Sendable, Equatable {
  /// 64-aligned.
  public var address: UInt64
  public var rowCount: Int
  public var columnCount: Int
  /// How many numbers share a scale: 256, 32, or 0 for F32.
  public var width: Int

  public init(address: UInt64, rowCount: Int, columnCount: Int, width: Int) {
    self.address = address
    self.rowCount = rowCount
    self.columnCount = columnCount
    self.width = width
  }

  /// Bytes from record to record.
  public var byteStride: Int {
    RowRecords.byteCount(rowCount: 1, columnCount: columnCount, width: width)
  }
  public var byteCount: Int { rowCount * byteStride }

  /// Some rows.
  public func rows(_ range: Range<Int>) -> DeviceRecords {
    precondition(range.lowerBound >= 0 && range.upperBound <= rowCount)
    return DeviceRecords(
      address: address + UInt64(range.lowerBound * byteStride), rowCount: range.count,
      columnCount: columnCount, width: width)
  }
}

/// Keys or values of one layer in device memory: [heads][positions][stored length] of F32, F16 or Q8_0, as
/// the host's `CacheRows` keeps them. It owns nothing.
public struct DeviceCacheRows: Sendable, Equatable {
  public var address: UInt64
  public var headCount: Int
  /// Numbers of a head's row; it is filled up with zeros to whole blocks of the type.
  public var length: Int
  public var type: ElementType
  /// Positions there is room for.
  public var capacity: Int

  public init(address: UInt64, headCount: Int, length: Int, type: ElementType, capacity: Int) {
    self.address = address
    self.headCount = headCount
    self.length = length
    self.type = type
    self.capacity = capacity
  }

  /// Bytes of one position of a head.
  public var positionByteCount: Int {
    let block = type.elementsPerBlock
    return (length + block - 1) / block * type.bytesPerBlock
  }
  /// Bytes from head to head: whole groups of sixteen positions, whole cache lines.
  public var headByteStride: Int {
    ((capacity + 15) / 16 * 16 * positionByteCount + 63) / 64 * 64
  }
  public var byteCount: Int { headCount * headByteStride }
}

/// Rows of a step that go to experts: a table of `gpu_expert_group` in memory that kernels reach.
public struct DeviceExpertGroups: Sendable, Equatable {
  public var address: UInt64
  public var groupCount: Int
  /// Rows of the largest group.
  public var mostRows: Int

  public init(address: UInt64, groupCount: Int, mostRows: Int) {
    self.address = address
    self.groupCount = groupCount
    self.mostRows = mostRows
  }
}
