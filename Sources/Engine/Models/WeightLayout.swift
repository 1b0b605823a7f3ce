import CPUCompute
import GGUF
import HostMemory

/// How a model's weights are kept in memory. The results have the same bits either way.
public enum WeightLayout: String, CaseIterable, Sendable {
  /// Packed where memory has room for it.
  case automatic = "auto"
  /// Packed at first use: the fastest products.
  case packed
  /// As the file has them: the pages of the file are all there is, and the system may drop them.
  case native

  /// Left to the rest of the system and to caches and work space when weights are packed.
  private static let reserveBytes = 1 << 30

  /// - Returns: nil for the file's own layout.
  /// - Throws: `HostMemoryError.cannotAllocate`.
  func store(for file: GGUFFile) throws(HostMemoryError) -> PackedStore? {
    let needed = WeightLayout.packedByteCount(of: file)
    switch self {
    case .native: return nil
    case .packed: break
    case .automatic:
      // Reading the file's layout is several times slower, so room is assumed where nobody knows.
      if let free = MemoryStatus.availableBytes(), free < needed + WeightLayout.reserveBytes {
        return nil
      }
    }
    return try PackedStore(
      capacityBytes: needed,
      givesBackNativePages: file.shards.allSatisfy {
        $0.source is MappedSource || $0.source is MadeSource
      }
    )
  }

  /// Bytes of all matrices of a file, packed: each matrix of a stack by itself.
  static func packedByteCount(of file: GGUFFile) -> Int {
    file.tensors.reduce(0) { sum, tensor in
      guard tensor.dimensions.count >= 2, tensor.type.isReadable else { return sum }
      let matrices = tensor.dimensions.dropFirst(2).reduce(1, *)
      let one = WeightMatrix.packedByteCount(
        type: tensor.type, rowCount: tensor.dimensions[1], columnCount: tensor.dimensions[0])
      // A fused stack of gate and up is two matrices, each filled up to whole tiles.
      let fused = WeightMatrix.packedByteCount(
        type: tensor.type, rowCount: (tensor.dimensions[1] + 1) / 2,
        columnCount: tensor.dimensions[0])
      return sum + matrices * (max(one, 2 * fused) + 64)
    }
  }
}
