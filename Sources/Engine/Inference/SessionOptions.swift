import CPUCompute
import HostMemory
import Models

/// How a sequence is computed.
public struct SessionOptions: Sendable {
  /// Tokens that the sequence may hold; nil: as `defaultContextLength` has it.
  public var contextLength: Int?
  public var keyValueType: KeyValueType
  /// Threads of computation; nil: the cores that this process may use.
  public var threadCount: Int?
  /// Which processors the threads may run on.
  public var affinity: AffinityChoice
  /// Tokens of a prompt that are computed at once. The result's bits do not depend on it.
  public var chunkTokenCount: Int
  public var instructionSet: InstructionSet

  /// Large enough that each of many experts gets some tens of tokens, and that earlier positions' keys
  /// and values are expanded rarely; products cut a chunk further, into what their caches hold.
  public static let defaultChunkTokenCount = 512

  public init(
    contextLength: Int? = nil, keyValueType: KeyValueType = .f16, threadCount: Int? = nil,
    affinity: AffinityChoice = .automatic,
    chunkTokenCount: Int = SessionOptions.defaultChunkTokenCount,
    instructionSet: InstructionSet = .best
  ) {
    self.contextLength = contextLength
    self.keyValueType = keyValueType
    self.threadCount = threadCount
    self.affinity = affinity
    self.chunkTokenCount = chunkTokenCount
    self.instructionSet = instructionSet
  }

  /// The model's own context, or as much of it as half of the available memory can cache.
  static func defaultContextLength(_ model: DecoderModel, type: KeyValueType) -> Int {
    let whole = model.hyperparameters.contextLength
    let perToken = model.cacheShapes.reduce(0) {
      $0 + $1.byteCount(type: type.elementType)
    }
    guard perToken > 0, let available = MemoryStatus.availableBytes() else { return whole }
    return max(1, min(whole, available / 2 / perToken))
  }
}
