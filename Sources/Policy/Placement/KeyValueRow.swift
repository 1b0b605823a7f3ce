/// The element type of a key-value cache.
public enum KeyValueElement: String, CaseIterable, Sendable {
  case f32, f16, q8_0

  /// Elements that share one block, and the block's bytes.
  var block: (elements: Int, bytes: Int) {
    switch self {
    case .f32: (1, 4)
    case .f16: (1, 2)
    case .q8_0: (32, 34)
    }
  }

  /// Bytes of a row of elements, filled up to whole blocks.
  func bytes(of elements: Int) -> Int {
    (elements + block.elements - 1) / block.elements * block.bytes
  }
}

/// What one layer keeps of one position of the context.
public struct KeyValueRow: Equatable, Sendable {
  /// Heads that keep a key and a value of their own; 1 for latent attention.
  public var headCount: Int
  public var keyLength: Int
  /// 0 where the value is a part of the key, as in latent attention (DeepSeek-V2, arXiv 2405.04434).
  public var valueLength: Int
  /// Positions that are kept at most, in a layer with a sliding window; else nil.
  public var window: Int?
  /// Heads that read the row: what a token is multiplied with grows with them.
  public var queryHeadCount: Int

  public init(
    headCount: Int, keyLength: Int, valueLength: Int, window: Int? = nil, queryHeadCount: Int
  ) {
    self.headCount = headCount
    self.keyLength = keyLength
    self.valueLength = valueLength
    self.window = window
    self.queryHeadCount = queryHeadCount
  }

  /// Positions that are kept of a context.
  public func positions(context: Int) -> Int { min(context, window ?? context) }

  /// Bytes that one sequence takes in this layer.
  public func bytes(context: Int, type: KeyValueElement) -> Int {
    positions(context: context) * headCount
      * (type.bytes(of: keyLength) + type.bytes(of: valueLength))
  }

  /// Multiplications of one token with one position: the score and the weighted value.
  var multiplications: Int {
    queryHeadCount * (keyLength + (valueLength == 0 ? keyLength : valueLength))
  }
}
