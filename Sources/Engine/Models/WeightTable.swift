import CPUCompute
import GGUF
import Tensors

/// The tensors of a file, handed out by name with their shape checked, and what was never asked for.
///
/// A model is built twice: first with a table that reads nothing, to find the whole file acceptable,
/// then with one that reads the vectors (norms, biases). Matrices are views of the mapping.
public final class WeightTable {
  public let file: GGUFFile
  /// Where matrices are packed; nil where products read the file's own layout.
  public let store: PackedStore?
  private let reading: Bool
  private var used: Set<String> = []

  /// - Parameter reading: false for the pass that only checks; vectors are zeros then.
  public init(_ file: GGUFFile, reading: Bool, store: PackedStore? = nil) {
    self.file = file
    self.store = store
    self.reading = reading
  }

  public var path: String { file.path }

  public func contains(_ name: String) -> Bool { file.tensor(named: name) != nil }

  /// A matrix [rows, columns] that must be there.
  /// - Throws: `ModelError.missingTensor`, `.wrongShape`, `.unsupportedElementType`.
  public func matrix(
    _ name: String, rows: Int, columns: Int, purpose: String
  ) throws -> WeightMatrix {
    try matrices(name, count: 1, rows: rows, columns: columns, purpose: purpose)[0]
  }

  /// A stack of `count` matrices [count, rows, columns] that must be there, in order.
  /// - Throws: `ModelError.missingTensor`, `.wrongShape`, `.unsupportedElementType`.
  public func matrices(
    _ name: String, count: Int, rows: Int, columns: Int, purpose: String
  ) throws -> [WeightMatrix] {
    let tensor = try use(name, dimensions: [columns, rows, count], purpose: purpose)
    let base = try pointer(to: tensor)
    guard
      let whole = WeightMatrix(
        base: base, type: tensor.type, rowCount: rows * count, columnCount: columns, store: store)
    else {
      throw ModelError.wrongShape(
        path: path, tensor: name, expected: [columns, rows, count], found: tensor.dimensions)
    }
    return (0..<count).map { whole.rows(($0 * rows)..<(($0 + 1) * rows)) }
  }

  /// A vector [count] that must be there, as F32.
  /// - Throws: `ModelError.missingTensor`, `.wrongShape`, `.unsupportedElementType`.
  public func vector(_ name: String, count: Int, purpose: String) throws -> FloatVector {
    try vectors(name, count: count, outer: 1, purpose: purpose)[0]
  }

  /// Vectors stacked as [outer, count] that must be there, as F32.
  /// - Parameter dimensions: the tensor's own shape, where it is not [count, outer].
  /// - Throws: `ModelError.missingTensor`, `.wrongShape`, `.unsupportedElementType`.
  public func vectors(
    _ name: String, count: Int, outer: Int, purpose: String, stackedAs dimensions: [Int]? = nil
  ) throws -> [FloatVector] {
    let tensor = try use(name, dimensions: dimensions ?? [count, outer], purpose: purpose)
    let base = try pointer(to: tensor)
    guard
      let rows = WeightMatrix(base: base, type: tensor.type, rowCount: outer, columnCount: count)
    else {
      throw ModelError.wrongShape(
        path: path, tensor: name, expected: [count, outer], found: tensor.dimensions)
    }
    return (0..<outer).map { reading ? FloatVector(row: $0, of: rows) : FloatVector([]) }
  }

  public func vectorIfPresent(
    _ name: String, count: Int, purpose: String
  ) throws -> FloatVector? {
    contains(name) ? try vector(name, count: count, purpose: purpose) : nil
  }

  /// Marks a tensor as known and without effect on the text.
  public func ignore(_ name: String) { used.insert(name) }

  /// - Throws: `ModelError.unknownTensors` where the file holds tensors that were never asked for.
  public func requireAllUsed(architecture: String) throws {
    let unknown = file.tensors.map(\.name).filter { !used.contains($0) }
    if !unknown.isEmpty {
      throw ModelError.unknownTensors(path: path, architecture: architecture, names: unknown)
    }
  }

  private func use(_ name: String, dimensions: [Int], purpose: String) throws -> GGUFTensor {
    guard let tensor = file.tensor(named: name) else {
      throw ModelError.missingTensor(path: path, name: name, purpose: purpose)
    }
    guard WeightTable.same(tensor.dimensions, dimensions) else {
      throw ModelError.wrongShape(
        path: path, tensor: name, expected: dimensions, found: tensor.dimensions)
    }
    guard tensor.type.isReadable else {
      throw ModelError.unsupportedElementType(path: path, tensor: name, found: tensor.type.name)
    }
    used.insert(name)
    return tensor
  }

  /// Whether two shapes agree but for trailing dimensions of 1.
  private static func same(_ left: [Int], _ right: [Int]) -> Bool {
    (0..<max(left.count, right.count)).allSatisfy {
      ($0 < left.count ? left[$0] : 1) == ($0 < right.count ? right[$0] : 1)
    }
  }

  private func pointer(to tensor: GGUFTensor) throws -> UnsafeRawPointer {
    let source = file.shards[tensor.shardIndex].source
    let bytes =
      switch source {
      case let mapped as MappedSource: mapped.file.bytes
      case let fixed as StaticSource: fixed.bytes
      case let made as MadeSource: made.bytes
      default: UnsafeRawBufferPointer(start: nil, count: 0)
      }
    guard let base = bytes.baseAddress, tensor.offset + tensor.byteCount <= bytes.count else {
      throw ModelError.missingTensor(path: path, name: tensor.name, purpose: "its bytes")
    }
    return base + tensor.offset
  }
}
