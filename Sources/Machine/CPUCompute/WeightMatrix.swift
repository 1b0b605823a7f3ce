import CKernels
import Tensors

/// A matrix of weights where it lies in the mapped file: [rowCount, columnCount], each row a whole
/// number of blocks of `type`, and a place for its packed copy. It owns neither: the mapping and the
/// store outlive it.
// Safety: the mapping is read-only, the slot guards itself.
public struct WeightMatrix: @unchecked Sendable {
  public let base: UnsafeRawPointer
  public let type: ElementType
  public let rowCount: Int
  public let columnCount: Int
  public let rowByteCount: Int
  let slot: PackedSlot?

  /// - Parameter store: where the matrix is packed when it is multiplied; nil: each product packs
  ///   the rows it reads into scratch, again each time.
  /// - Returns: nil where a row is no whole number of blocks.
  public init?(
    base: UnsafeRawPointer, type: ElementType, rowCount: Int, columnCount: Int,
    store: PackedStore? = nil
  ) {
    guard let rowByteCount = type.byteCount(ofRow: columnCount) else { return nil }
    self.base = base
    self.type = type
    self.rowCount = rowCount
    self.columnCount = columnCount
    self.rowByteCount = rowByteCount
    slot = store?.slot(
      for: PackedShape(
        base: base, type: type, rowCount: rowCount, columnCount: columnCount,
        rowByteCount: rowByteCount))
  }

  private init(_ whole: WeightMatrix, rows: Range<Int>) {
    base = whole.base + rows.lowerBound * whole.rowByteCount
    type = whole.type
    rowCount = rows.count
    columnCount = whole.columnCount
    rowByteCount = whole.rowByteCount
    whole.slot?.split()
    slot = whole.slot?.store.slot(
      for: PackedShape(
        base: base, type: type, rowCount: rowCount, columnCount: columnCount,
        rowByteCount: rowByteCount))
  }

  /// Some rows of a matrix, without a packed copy.
  init(part whole: WeightMatrix, rows: Range<Int>) {
    base = whole.base + rows.lowerBound * whole.rowByteCount
    type = whole.type
    rowCount = rows.count
    columnCount = whole.columnCount
    rowByteCount = whole.rowByteCount
    slot = nil
  }

  public var byteCount: Int { rowCount * rowByteCount }

  /// Some rows, a matrix of their own with a packed copy of their own.
  public func rows(_ range: Range<Int>) -> WeightMatrix {
    precondition(range.lowerBound >= 0 && range.upperBound <= rowCount)
    return WeightMatrix(self, rows: range)
  }

  /// The same matrix without a packed copy: for one that is read row by row and never multiplied.
  public var unpacked: WeightMatrix {
    slot?.split()
    return WeightMatrix(part: self, rows: 0..<rowCount)
  }

  /// Tiles of sixteen rows.
  public var tileCount: Int { (rowCount + Int(CK_TILE_ROWS) - 1) / Int(CK_TILE_ROWS) }

  /// Bytes of one packed tile.
  public var tileByteCount: Int { ck_tile_bytes(type.rawValue, columnCount) }

  /// How many numbers of an activation share a scale when they meet these weights: 256, 32, or 0 where
  /// they stay F32.
  public var activationWidth: Int { ck_activation_width(type.rawValue) }

  /// Bytes that a product reads now: packed tiles where they are there, else native rows.
  var readByteCount: Int { slot?.tiles == nil ? byteCount : tileCount * tileByteCount }

  /// What the kernels read now: packed tiles where they are there.
  var kernelView: ck_weights {
    ck_weights(
      native: base, packed: slot?.tiles, row_bytes: rowByteCount, rows: rowCount,
      columns: columnCount, element_type: type.rawValue)
  }

  /// Packs some tiles on the calling thread, whether or not there is a packed copy.
  /// - Parameter target: bytes for so many tiles, 64-aligned.
  public func packTiles(_ range: Range<Int>, into target: UnsafeMutableRawPointer) {
    precondition(range.lowerBound >= 0 && range.upperBound <= tileCount)
    // Tiles are packed as those of a matrix of their own, which begins at the first of them.
    let first = range.lowerBound * Int(CK_TILE_ROWS)
    var view = ck_weights(
      native: base + first * rowByteCount, packed: nil, row_bytes: rowByteCount,
      rows: min(range.count * Int(CK_TILE_ROWS), rowCount - first), columns: columnCount,
      element_type: type.rawValue)
    let code = InstructionSet.best.kernels?.pack(&view, 0, range.count, target)
    precondition(code == 0, "no packed layout for element type \(type.name)")
  }

  /// Bytes of a packed copy.
  public static func packedByteCount(type: ElementType, rowCount: Int, columnCount: Int) -> Int {
    (rowCount + 15) / 16 * ck_tile_bytes(type.rawValue, columnCount)
  }
}
