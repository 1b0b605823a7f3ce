/// Decodes tokens one by one into text that is complete at every step.
///
/// A token may end in the middle of a character; its bytes wait for the next token. The texts that
/// come out, joined, are what ``Tokenizer/decode(_:skipSpecial:)`` makes of all tokens.
public struct StreamingDecoder: Sendable {
  private let tokenizer: Tokenizer
  private let skipSpecial: Bool
  /// Control tokens that are not left out.
  public var shownTokens: Set<Int> = []
  private var pending: [UInt8] = []
  private var stripsSpace: Bool

  /// A decoder at the start of a text.
  ///
  /// - Parameters:
  ///   - skipSpecial: leaves out control and unknown tokens.
  ///   - continuing: the tokens continue a text, so that a leading space is kept.
  public init(_ tokenizer: Tokenizer, skipSpecial: Bool = true, continuing: Bool = false) {
    self.tokenizer = tokenizer
    self.skipSpecial = skipSpecial
    stripsSpace = tokenizer.stripsLeadingSpace && !continuing
  }

  /// The text that became complete with this token; often empty. An id out of range is U+FFFD.
  public mutating func append(_ token: Int) -> String {
    if skipSpecial, tokenizer.isSpecial(token), !shownTokens.contains(token) { return "" }
    pending.append(contentsOf: tokenizer.bytes(of: token) ?? [0xEF, 0xBF, 0xBD])
    if stripsSpace, let first = pending.first {
      stripsSpace = false
      if first == UInt8(ascii: " ") { pending.removeFirst() }
    }
    let held = Self.incompleteSuffixLength(of: pending)
    let text = String(decoding: pending.dropLast(held), as: UTF8.self)
    pending.removeFirst(pending.count - held)
    return text
  }

  /// The rest: U+FFFD for a character that was never completed, else nothing.
  public mutating func finish() -> String {
    defer { pending.removeAll() }
    return String(decoding: pending, as: UTF8.self)
  }

  /// How many bytes at the end could still become a character (0 to 3).
  private static func incompleteSuffixLength(of bytes: [UInt8]) -> Int {
    for length in 1...3 where length <= bytes.count {
      let suffix = bytes.suffix(length)
      guard let lead = suffix.first else { return 0 }
      if lead & 0xC0 == 0x80 { continue }
      let needed = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC2 ? 2 : 1
      guard needed > length, lead <= 0xF4 else { return 0 }
      // The second byte decides between a beginning and an error (Unicode, table 3-7).
      guard let second = suffix.dropFirst().first else { return length }
      let allowed: ClosedRange<UInt8> =
        switch lead {
        case 0xE0: 0xA0...0xBF
        case 0xED: 0x80...0x9F
        case 0xF0: 0x90...0xBF
        case 0xF4: 0x80...0x8F
        default: 0x80...0xBF
        }
      return allowed.contains(second) ? length : 0
    }
    return 0
  }
}
