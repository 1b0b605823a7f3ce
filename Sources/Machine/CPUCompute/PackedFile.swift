import Tensors

/// A file of packed matrices: what stands in it before the tiles.
///
/// Fixed 4096 bytes say what it is, a table says where each matrix lies, tiles follow from a multiple of
/// 2 MiB on, each matrix from a multiple of 64 bytes on, and the same eight bytes as at the beginning end
/// the file. All numbers are little-endian. A program knows for its model and its layout exactly what the
/// beginning must be, so that a file is checked by comparing; the tiles themselves are not read through,
/// since that would take as long as packing them.
struct PackedFileLayout: Equatable {
  /// Raised whenever tiles change (`ckernels_packed.h`) or the file does.
  static let version: UInt32 = 1
  static let magic: [UInt8] = Array("HMTILES\n".utf8)
  static let fixedByteCount = 4096
  private static let dataAlignment = 2 << 20

  /// Where a matrix lies in the model's file and in this one.
  struct Entry: Equatable {
    /// A number that tells the matrix's native bytes from all others of the model.
    var source: UInt64
    var type: UInt32
    var rowCount: Int
    var columnCount: Int
    var offset: Int
    var byteCount: Int
  }

  let entries: [Entry]
  let fingerprint: UInt64
  /// What the model is called, for lists of such files: at most 1024 bytes.
  let title: String
  /// Bytes of the whole file.
  let byteCount: Int

  /// Lays matrices out one behind the other.
  init(
    fingerprint: UInt64, title: String,
    matrices: [(source: UInt64, type: UInt32, rowCount: Int, columnCount: Int, byteCount: Int)]
  ) {
    self.fingerprint = fingerprint
    self.title = String(decoding: Array(title.utf8.prefix(1024)), as: UTF8.self)
    let table = Self.fixedByteCount + matrices.count * Self.entryByteCount
    var next = (table + Self.dataAlignment - 1) / Self.dataAlignment * Self.dataAlignment
    var entries: [Entry] = []
    entries.reserveCapacity(matrices.count)
    for matrix in matrices {
      entries.append(
        Entry(
          source: matrix.source, type: matrix.type, rowCount: matrix.rowCount,
          columnCount: matrix.columnCount, offset: next, byteCount: matrix.byteCount))
      next += (matrix.byteCount + 63) / 64 * 64
    }
    self.entries = entries
    byteCount = next + Self.magic.count
  }

  private static let entryByteCount = 48

  /// The file's beginning, up to where the tiles begin.
  var beginning: [UInt8] {
    var table: [UInt8] = []
    table.reserveCapacity(entries.count * Self.entryByteCount)
    for entry in entries {
      for number in [
        entry.source, UInt64(entry.type), UInt64(entry.rowCount), UInt64(entry.columnCount),
        UInt64(entry.offset), UInt64(entry.byteCount),
      ] { table.append(number) }
    }
    var fixed = Self.magic
    fixed.append(UInt64(Self.version))
    fixed.append(fingerprint)
    fixed.append(UInt64(byteCount))
    fixed.append(UInt64(entries.count))
    fixed.append(UInt64(title.utf8.count))
    fixed += Array(title.utf8)
    fixed += [UInt8](repeating: 0, count: Self.fixedByteCount - fixed.count)
    return fixed + table
  }

  /// Why a file is not this one; nil where it is.
  func objection(to bytes: UnsafeRawBufferPointer) -> PackedFileFault? {
    let beginning = beginning
    guard bytes.count >= Self.fixedByteCount, bytes.starts(with: Self.magic) else {
      return .notPackedWeights
    }
    let fixed = PackedFileSummary(fixed: bytes)
    guard let fixed, fixed.version == Self.version else {
      return .otherVersion(found: fixed?.version ?? 0, expected: Self.version)
    }
    guard fixed.fingerprint == fingerprint else { return .otherModel }
    guard bytes.count == byteCount else {
      return .wrongLength(found: bytes.count, expected: byteCount)
    }
    guard bytes.starts(with: beginning) else { return .damaged }
    guard bytes.suffix(Self.magic.count).elementsEqual(Self.magic) else { return .damaged }
    return nil
  }
}

/// What the fixed part of a file of packed weights says.
public struct PackedFileSummary: Equatable, Sendable {
  public let version: UInt32
  public let fingerprint: UInt64
  /// Bytes that the whole file must have.
  public let byteCount: Int
  public let matrixCount: Int
  /// What the model is called.
  public let title: String

  /// Whether this program reads files of that version.
  public var isCurrent: Bool { version == PackedFileLayout.version }

  /// - Parameter bytes: the file's first 4096 bytes, or more.
  /// - Returns: nil for anything else than a file of packed weights.
  public init?(fixed bytes: UnsafeRawBufferPointer) {
    let magic = PackedFileLayout.magic
    guard bytes.count >= PackedFileLayout.fixedByteCount, bytes.starts(with: magic) else {
      return nil
    }
    let numbers = (0..<5).map {
      UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8 + 8 * $0, as: UInt64.self))
    }
    version = UInt32(truncatingIfNeeded: numbers[0])
    fingerprint = numbers[1]
    byteCount = Int(clamping: numbers[2])
    matrixCount = Int(clamping: numbers[3])
    let titleLength = Int(clamping: numbers[4])
    guard titleLength <= 1024 else { return nil }
    title = String(decoding: bytes[48..<(48 + titleLength)], as: UTF8.self)
  }
}

/// What is wrong with a file that should hold packed weights.
public enum PackedFileFault: Equatable, Sendable, CustomStringConvertible {
  case notPackedWeights
  case otherVersion(found: UInt32, expected: UInt32)
  case otherModel
  case wrongLength(found: Int, expected: Int)
  case damaged

  public var description: String {
    switch self {
    case .notPackedWeights: "it is no file of packed weights"
    case .otherVersion(let found, let expected):
      "its layout has version \(found), this program's has version \(expected)"
    case .otherModel: "it belongs to another model, or to the model as it was before it changed"
    case .wrongLength(let found, let expected): "it has \(found) bytes instead of \(expected)"
    case .damaged: "its table is damaged"
    }
  }
}

extension [UInt8] {
  fileprivate mutating func append(_ number: UInt64) {
    for shift in stride(from: 0, to: 64, by: 8) {
      append(UInt8(truncatingIfNeeded: number >> UInt64(shift)))
    }
  }
}
