/// A text that is looked for in a stream of bytes, by the automaton of Knuth, Morris and Pratt: its state
/// is the length of the longest beginning of the text that the stream ends with.
struct TextPattern: Sendable {
  let text: String
  let bytes: [UInt8]
  /// `fallback[n]`: the longest proper beginning of the text that also ends its first n bytes.
  private let fallback: [Int]
  private(set) var matched = 0

  /// - Parameter text: not empty.
  init(_ text: String) {
    self.text = text
    bytes = Array(text.utf8)
    var fallback = [0, 0]
    var length = 0
    for byte in bytes.dropFirst() {
      while length > 0, bytes[length] != byte { length = fallback[length] }
      if bytes[length] == byte { length += 1 }
      fallback.append(length)
    }
    self.fallback = fallback
  }

  /// Takes one more byte of the stream and tells whether the text is now complete.
  mutating func advance(_ byte: UInt8) -> Bool {
    if matched == bytes.count { matched = fallback[matched] }
    while matched > 0, bytes[matched] != byte { matched = fallback[matched] }
    if bytes[matched] == byte { matched += 1 }
    return matched == bytes.count
  }

  /// Forgets the stream so far.
  mutating func reset() { matched = 0 }
}
