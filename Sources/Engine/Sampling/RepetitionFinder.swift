/// What a token is to the samplers that look at text.
public enum TokenText: Sendable, Equatable {
  /// The bytes that the token stands for; any part of a character is possible.
  case plain([UInt8])
  /// The token is written by formats and models, not by plain text.
  case control
}

/// Finds the sequences that the text so far is repeating, for DRY.
struct RepetitionFinder: Sendable {
  /// For each token that would go on with a repetition, how long the longest one is so far.
  private(set) var longest: [Int32: Int] = [:]
  private let penalty: DRYPenalty
  private let text: @Sendable (Int) -> TokenText
  private var patterns: [TextPattern]
  private var tokens: [Int32] = []
  /// For each of `tokens`, whether it has a breaker of its own.
  private var isBreaker: [Bool] = []
  /// How many tokens came after the one in which the last breaker ended.
  private var freeCount = 0
  private var matches: [Int] = []

  /// - Parameter text: what a token is; asked once for each accepted token.
  init(_ penalty: DRYPenalty, text: @escaping @Sendable (Int) -> TokenText) {
    self.penalty = penalty
    self.text = text
    patterns = penalty.breakers.map(TextPattern.init)
  }

  mutating func accept(_ token: Int) {
    tokens.append(Int32(truncatingIfNeeded: token))
    switch text(token) {
    case .control:
      for index in patterns.indices { patterns[index].reset() }
      isBreaker.append(true)
      freeCount = 0
    case .plain(let bytes):
      let (ends, contains) = follow(bytes)
      isBreaker.append(contains)
      freeCount = ends ? 0 : freeCount + 1
    }
  }

  /// Whether a breaker ends within these next bytes of the text, and whether one lies wholly in them.
  private mutating func follow(_ bytes: [UInt8]) -> (ends: Bool, contains: Bool) {
    var ends = false
    var contains = false
    for index in patterns.indices {
      for (position, byte) in bytes.enumerated() where patterns[index].advance(byte) {
        ends = true
        if position + 1 >= patterns[index].bytes.count { contains = true }
      }
    }
    return (ends, contains)
  }

  /// Brings `longest` up to date.
  ///
  /// The last tokens, read backwards, are compared with the text before each place, by the Z-algorithm
  /// (Gusfield, "Algorithms on Strings, Trees and Sequences", 1997, section 1.3).
  ///
  /// - Complexity: O(tokens searched), and O(1) where a breaker is near.
  mutating func search() {
    longest.removeAll(keepingCapacity: true)
    let count = penalty.lastCount < 0 ? tokens.count : min(penalty.lastCount, tokens.count)
    let limit = min(freeCount, count)
    guard limit >= penalty.allowedLength else { return }
    if matches.count < limit { matches = Array(repeating: 0, count: max(2 * limit, 64)) }
    let last = tokens.count - 1
    // Of all places passed, the one whose match reaches furthest back: from `start` to before `end`.
    var start = 0
    var end = 0
    // How many tokens up to the one `distance` before the last are as the last tokens.
    for distance in 1..<count {
      var length = 0
      if distance < end { length = min(matches[distance - start], end - distance) }
      if distance + length >= end {
        while length < limit, distance + length < count,
          tokens[last - length] == tokens[last - distance - length]
        {
          length += 1
        }
        (start, end) = (distance, distance + length)
      }
      if distance < limit { matches[distance] = length }
      guard length >= penalty.allowedLength, !isBreaker[last - distance + 1] else { continue }
      longest[tokens[last - distance + 1], default: 0].formMaximum(length)
    }
  }
}

extension Int {
  fileprivate mutating func formMaximum(_ other: Int) { self = Swift.max(self, other) }
}
