import CPUCompute
import GGUF
import HostMemory

/// How a model's weights are kept in memory. The results have the same bits either way.
public enum WeightLayout: String, CaseIterable, Sendable {
  /// Packed where memory has room for it.
  case automatic = "auto"
  /// Packed at the second use: the fastest products, and the first token does not wait for them.
  case packed
  /// As the file has them: the pages of the file are all there is, and the system may drop them.
  case native
  /// Packed in a file beside other caches, which is made when it is not there: fast from the first token
  /// on, and the system may drop its pages.
  case cached
}

/// Something about a model's weights that a user should know.
public enum WeightNotice: Equatable, Sendable, CustomStringConvertible {
  /// There is no room for packed weights.
  case noRoomToPack(neededBytes: Int, availableBytes: Int)
  /// The weights are more than memory holds, and are to be read from the disk again and again.
  case largerThanMemory(neededBytes: Int, availableBytes: Int)
  /// The file of packed weights is not what it must be, and is made again.
  case unusableFile(path: String, reason: String)
  /// There is and will be no file of packed weights: weights are packed in memory.
  case noFile(reason: String)
  /// Pages are not spread over memory nodes.
  case notInterleaved(reason: String)

  public var description: String {
    switch self {
    case .noRoomToPack(let needed, let available):
      "weights stay as the file has them, which is slower: packed they would take "
        + "\(WeightNotice.gigabytes(needed)), and \(WeightNotice.gigabytes(available)) are available, "
        + "\(WeightNotice.gigabytes(needed - available)) too little; end other programs, or use "
        + "--weights cached, which needs room on the disk instead"
    case .largerThanMemory(let needed, let available):
      "the weights take \(WeightNotice.gigabytes(needed)), and \(WeightNotice.gigabytes(available)) "
        + "of memory are available: they are read from the disk again and again, which is far slower"
    case .unusableFile(let path, let reason):
      "the packed weights in \(path) are not used and made again: \(reason)"
    case .noFile(let reason):
      "weights are packed in memory, without a file: \(reason)"
    case .notInterleaved(let reason):
      "weights are not spread over the memory nodes, which is slower: \(reason)"
    }
  }

  static func gigabytes(_ bytes: Int) -> String {
    let tenths = (bytes + 50_000_000) / 100_000_000
    return "\(tenths / 10).\(tenths % 10) GB"
  }
}

/// How weights are to be kept, and who is told about it.
public struct WeightLoading {
  public var layout: WeightLayout
  /// The folder of files of packed weights, for `cached`.
  public var cacheFolder: String?
  /// Threads that make such a file.
  public var placement: ThreadPlacement
  /// Told how much of such a file is made, 0 to 1.
  public var progress: (Double) -> Void
  public var notice: (WeightNotice) -> Void
  /// Memory of a device that takes a part of the weights, in bytes.
  public var deviceByteCount = 0
  /// Bytes that may be taken; nil where nobody knows.
  var availableBytes: () -> Int? = { MemoryStatus.availableBytes() }

  public init(
    _ layout: WeightLayout = .automatic, cacheFolder: String? = nil,
    placement: ThreadPlacement = ThreadPlacement(.current(), affinity: .automatic),
    progress: @escaping (Double) -> Void = { _ in },
    notice: @escaping (WeightNotice) -> Void = { _ in }
  ) {
    self.layout = layout
    self.cacheFolder = cacheFolder
    self.placement = placement
    self.progress = progress
    self.notice = notice
  }

  /// Left to the rest of the system and to caches and work space when weights are packed.
  private static let reserveBytes = 1 << 30

  /// - Returns: nil for the file's own layout.
  /// - Throws: `ModelError.tooLarge`, `HostMemoryError.cannotAllocate`.
  func store(for file: GGUFFile) throws -> PackedStore? {
    try requireRoom(for: file)
    let needed = WeightLoading.packedByteCount(of: file)
    switch layout {
    case .native: return nil
    case .packed, .cached: break
    case .automatic:
      // Reading the file's layout is several times slower, so room is assumed where nobody knows.
      if let free = availableBytes(), free < needed + WeightLoading.reserveBytes {
        notice(
          .noRoomToPack(neededBytes: needed + WeightLoading.reserveBytes, availableBytes: free))
        return nil
      }
    }
    let isMapped = file.shards.allSatisfy { $0.source is MappedSource }
    let isMade = file.shards.allSatisfy { $0.source is MadeSource }
    let store = try PackedStore(
      capacityBytes: needed, givesBackNativePages: isMapped || isMade, packsAtUse: 2,
      recordsMatrices: layout == .cached && cacheFolder != nil && isMapped,
      interleavedNodes: placement.interleavedNodes)
    if let reason = store.interleavingRefusal { notice(.notInterleaved(reason: reason)) }
    return store
  }

  /// Refuses a model whose weights memory cannot hold, unless a layout was asked for: an answer would take minutes for each word, as every weight is read from the
  /// disk again and again.
  private func requireRoom(for file: GGUFFile) throws(ModelError) {
    guard file.shards.allSatisfy({ $0.source is MappedSource }), let free = availableBytes() else {
      return
    }
    let needed = file.tensors.reduce(0) { $0 + $1.byteCount }
    let available = free + deviceByteCount
    guard needed > available else { return }
    switch layout {
    case .packed: break
    case .native, .cached:
      notice(.largerThanMemory(neededBytes: needed, availableBytes: available))
    case .automatic:
      throw .tooLarge(path: file.path, neededBytes: needed, availableBytes: available)
    }
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
