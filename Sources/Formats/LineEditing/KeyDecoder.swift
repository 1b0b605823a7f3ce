/// Makes keys of the bytes that a terminal sends, however they are cut.
///
/// Characters are UTF-8; other keys are escape sequences (ECMA-48 §5.4, and xterm's "Control
/// Sequences" for what they mean), of which several spellings are in use. A sequence that nobody
/// knows is taken as a whole and is `other`, so that no part of it becomes text.
public struct KeyDecoder: Sendable {
  private var bytes: [UInt8] = []
  /// Bytes of a paste so far; nil outside of one.
  private var pasted: [UInt8]?

  public init() {}

  /// Whether a lone Escape waits for what may follow: after a pause, `flush` says that it is a key.
  public var isWaiting: Bool { pasted == nil && bytes.first == 0x1B }

  /// Takes the next bytes and returns the keys that are complete.
  public mutating func feed(_ more: some Sequence<UInt8>) -> [Key] {
    bytes += more
    var keys: [Key] = []
    var start = 0
    while start < bytes.count, let (key, end) = next(from: start) {
      start = end
      if let key { keys.append(key) }
    }
    bytes.removeFirst(start)
    return keys
  }

  /// The keys of what is left, where nothing came for a while: the beginning of a sequence is Escape.
  public mutating func flush() -> [Key] {
    guard isWaiting else { return [] }
    bytes.removeFirst()
    // What follows the Escape was no sequence; letters of it are text.
    return [.escape] + feed([])
  }

  // The key that begins at an index (nil: nothing to report) and where it ends; nil where it is not
  // complete.
  private mutating func next(from start: Int) -> (Key?, Int)? {
    if pasted != nil { return nextOfPaste(from: start) }
    switch bytes[start] {
    case 0x1B: return sequence(from: start)
    case 0x0D: return (.enter, start + 1)
    case 0x09: return (.tab, start + 1)
    case 0x08, 0x7F: return (.backspace, start + 1)
    case 0..<0x20: return (.control(Self.control(bytes[start])), start + 1)
    default: return text(from: start)
    }
  }

  private static func control(_ byte: UInt8) -> Character {
    if byte == 0 { return " " }
    return Character(Unicode.Scalar(byte < 0x1B ? byte + 0x60 : byte + 0x40))
  }

  // MARK: Text

  private func text(from start: Int) -> (Key?, Int)? {
    var end = start
    while end < bytes.count, bytes[end] >= 0x20, bytes[end] != 0x7F { end += 1 }
    if end == bytes.count { end -= Self.unfinishedCount(bytes[start..<end]) }
    guard end > start else { return nil }
    let text = Self.withoutControls(String(decoding: bytes[start..<end], as: UTF8.self))
    return (text.isEmpty ? nil : .text(text), end)
  }

  /// Bytes at the end that begin a character whose other bytes are still to come.
  private static func unfinishedCount(_ bytes: ArraySlice<UInt8>) -> Int {
    for count in 1...3 where count <= bytes.count {
      let byte = bytes[bytes.endIndex - count]
      if byte & 0xC0 == 0x80 { continue }
      let length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
      return length > count ? count : 0
    }
    return 0
  }

  private static func withoutControls(_ text: String) -> String {
    let scalars = text.unicodeScalars.filter {
      $0 == "\n" || $0 == "\t" || $0.properties.generalCategory != .control
    }
    return String(String.UnicodeScalarView(scalars))
  }

  // MARK: Pastes

  private static let pasteEnd: [UInt8] = Array("\u{1B}[201~".utf8)

  private mutating func nextOfPaste(from start: Int) -> (Key?, Int)? {
    var content = pasted ?? []
    // Taken out meanwhile, so that a long paste is not copied with every piece of it.
    pasted = []
    defer { if pasted != nil { pasted = content } }
    var index = start
    while let escape = bytes[index...].firstIndex(of: 0x1B) {
      content += bytes[index..<escape]
      let rest = bytes[escape...].prefix(Self.pasteEnd.count)
      if rest.elementsEqual(Self.pasteEnd) {
        pasted = nil
        return (.paste(Self.pastedText(content)), escape + Self.pasteEnd.count)
      }
      // The end may be cut; then the rest waits.
      if Self.pasteEnd.starts(with: rest) { return escape > start ? (nil, escape) : nil }
      index = escape + 1
    }
    content += bytes[index...]
    return (nil, bytes.count)
  }

  /// The pasted text: terminals send a line break as a carriage return.
  private static func pastedText(_ bytes: [UInt8]) -> String {
    var unified: [UInt8] = []
    unified.reserveCapacity(bytes.count)
    for (index, byte) in bytes.enumerated() {
      if byte == 0x0A, index > 0, bytes[index - 1] == 0x0D { continue }
      unified.append(byte == 0x0D ? 0x0A : byte)
    }
    return withoutControls(String(decoding: unified, as: UTF8.self))
  }

  // MARK: Escape sequences

  private mutating func sequence(from start: Int) -> (Key?, Int)? {
    guard start + 1 < bytes.count else { return nil }
    switch bytes[start + 1] {
    case UInt8(ascii: "["): return controlSequence(from: start)
    case UInt8(ascii: "O"):
      guard start + 2 < bytes.count else { return nil }
      return (EscapeSequence.singleShift(bytes[start + 2]), start + 3)
    case 0x1B: return (.escape, start + 1)
    case 0x0D, 0x0A: return (.altEnter, start + 2)
    case 0x08, 0x7F: return (.altBackspace, start + 2)
    case 0..<0x20: return (.other, start + 2)
    case 0x80...:
      guard let (key, end) = text(from: start + 1) else { return nil }
      guard case .text(let text)? = key, let first = text.first else { return (.other, end) }
      return (.alt(first), start + 1 + first.utf8.count)
    default:
      return (.alt(EscapeSequence.small(Character(Unicode.Scalar(bytes[start + 1])))), start + 2)
    }
  }

  private mutating func controlSequence(from start: Int) -> (Key?, Int)? {
    var end = start + 2
    while end < bytes.count, (0x20...0x3F).contains(bytes[end]) { end += 1 }
    guard end < bytes.count else { return nil }
    let final = bytes[end]
    // Function keys of the Linux console have a letter more.
    if final == UInt8(ascii: "["), end == start + 2 {
      return end + 1 < bytes.count ? (.other, end + 2) : nil
    }
    // Something else cuts the sequence short.
    guard (0x40...0x7E).contains(final) else { return (.other, end) }
    let parameters = bytes[(start + 2)..<end]
    if final == UInt8(ascii: "~"), parameters.elementsEqual("200".utf8) {
      pasted = []
      return (nil, end + 1)
    }
    return (EscapeSequence.key(final: final, parameters: parameters), end + 1)
  }
}
