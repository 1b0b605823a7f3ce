/// A set of experts of one layer, as bits.
///
/// A value of fixed size without any allocation, so that policies can keep and copy sets in the
/// decode loop. Holds indices 0 to 1023; published models have up to 512 experts a layer.
@frozen
public struct ExpertSet: Equatable, Sendable {
  /// The number of indices that fit: 0 to `limit` − 1.
  public static let limit = 1024

  @usableFromInline var words: InlineArray<16, UInt64> = .init(repeating: 0)
  @usableFromInline var storedCount = 0

  @inlinable public init() {}

  /// The number of members.
  @inlinable public var count: Int { storedCount }

  @inlinable public init(_ members: some Sequence<Int>) {
    for member in members { insert(member) }
  }

  @inlinable public var isEmpty: Bool { count == 0 }

  @inlinable public func contains(_ index: Int) -> Bool {
    words[index >> 6] & (1 << UInt64(index & 63)) != 0
  }

  /// Adds an index; tells whether it was absent.
  @inlinable @discardableResult
  public mutating func insert(_ index: Int) -> Bool {
    let bit: UInt64 = 1 << UInt64(index & 63)
    guard words[index >> 6] & bit == 0 else { return false }
    words[index >> 6] |= bit
    storedCount += 1
    return true
  }

  /// Removes an index; tells whether it was present.
  @inlinable @discardableResult
  public mutating func remove(_ index: Int) -> Bool {
    let bit: UInt64 = 1 << UInt64(index & 63)
    guard words[index >> 6] & bit != 0 else { return false }
    words[index >> 6] &= ~bit
    storedCount -= 1
    return true
  }

  /// Calls `body` with each member, lowest first.
  @inlinable public func forEach(_ body: (Int) -> Void) {
    var remaining = count
    var word = 0
    while remaining > 0 {
      var bits = words[word]
      while bits != 0 {
        body(word << 6 + bits.trailingZeroBitCount)
        bits &= bits - 1
        remaining -= 1
      }
      word += 1
    }
  }

  /// The members, lowest first.
  @inlinable public var members: [Int] {
    var result: [Int] = []
    result.reserveCapacity(count)
    forEach { result.append($0) }
    return result
  }

  @inlinable public static func == (left: ExpertSet, right: ExpertSet) -> Bool {
    for word in 0..<16 where left.words[word] != right.words[word] { return false }
    return true
  }
}
