/// Reads a JSON text piece by piece, without building a document: the fast way into known formats.
///
/// The caller says what it expects next, and every call consumes exactly that or throws:
///
///     try scanner.beginObject()
///     while let key = try scanner.nextKey() {
///       if key == "ids" { … } else { try scanner.skipValue() }
///     }
///     try scanner.finish()
///
/// The grammar is RFC 8259's, strictly: no comments, trailing commas, NaN, single quotes or byte
/// order mark. After an error the scanner must not be used any more.
public struct JSONScanner {
  /// How deep arrays and objects may be nested, so that no document can exhaust the stack.
  public static let maximumDepth = 256

  let bytes: [UInt8]
  private let start: Int
  let end: Int
  private let firstLine: Int
  /// The index of the next byte.
  var position: Int
  private var depth = 0
  // Whether the innermost container was opened and nothing of it has been read yet.
  private var isFresh = false

  /// A scanner of a part of some bytes, by default of all.
  ///
  /// - Parameter firstLine: the number of the part's first line, for messages.
  public init(_ bytes: [UInt8], in range: Range<Int>? = nil, firstLine: Int = 1) {
    self.bytes = bytes
    start = range?.lowerBound ?? 0
    end = range?.upperBound ?? bytes.count
    self.firstLine = firstLine
    position = start
    precondition(start >= 0 && end <= bytes.count, "the part lies outside of the bytes")
  }

  /// Whether every byte has been read: an error there means that the rest of the text is missing.
  public var isAtEnd: Bool { position == end }

  /// The next byte that is no space, still to be read; nil at the end.
  mutating func peek() -> UInt8? {
    while position < end {
      let byte = bytes[position]
      if byte > 0x20 { return byte }
      guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return byte }
      position += 1
    }
    return nil
  }

  // MARK: Containers

  /// Reads the `{` of an object.
  public mutating func beginObject() throws(JSONError) { try begin(UInt8(ascii: "{"), "an object") }

  /// Reads the `[` of an array.
  public mutating func beginArray() throws(JSONError) { try begin(UInt8(ascii: "["), "an array") }

  private mutating func begin(_ bracket: UInt8, _ name: String) throws(JSONError) {
    guard peek() == bracket else { throw unexpected("expected \(name)") }
    guard depth < Self.maximumDepth else {
      throw failure("arrays and objects are nested deeper than \(Self.maximumDepth) levels")
    }
    depth += 1
    position += 1
    isFresh = true
  }

  /// Goes to the next element of an array; false where the array ends, which is then consumed.
  public mutating func nextElement() throws(JSONError) -> Bool { try next(UInt8(ascii: "]")) }

  /// Reads the next key of an object and its colon; nil where the object ends, which is consumed.
  public mutating func nextKey() throws(JSONError) -> String? {
    guard try next(UInt8(ascii: "}")) else { return nil }
    guard peek() == UInt8(ascii: "\"") else { throw unexpected("expected a key in double quotes") }
    let key = try string()
    guard peek() == UInt8(ascii: ":") else { throw unexpected("expected ':' after the key") }
    position += 1
    return key
  }

  private mutating func next(_ closing: UInt8) throws(JSONError) -> Bool {
    let byte = peek()
    if byte == closing {
      position += 1
      depth -= 1
      isFresh = false
      return false
    }
    if isFresh {
      isFresh = false
      return true
    }
    let bracket = Character(Unicode.Scalar(closing))
    guard byte == UInt8(ascii: ",") else { throw unexpected("expected ',' or '\(bracket)'") }
    position += 1
    if peek() == closing { throw failure("there is nothing between ',' and '\(bracket)'") }
    return true
  }

  // MARK: Values

  /// Reads `true` or `false`.
  public mutating func bool() throws(JSONError) -> Bool {
    switch peek() {
    case UInt8(ascii: "t"):
      try word("true")
      return true
    case UInt8(ascii: "f"):
      try word("false")
      return false
    default: throw unexpected("expected true or false")
    }
  }

  /// Reads `null` where it stands; tells whether it did.
  public mutating func null() throws(JSONError) -> Bool {
    guard peek() == UInt8(ascii: "n") else { return false }
    try word("null")
    return true
  }

  private mutating func word(_ word: StaticString) throws(JSONError) {
    let text = word.description.utf8
    guard bytes[position..<end].starts(with: text) else {
      let error = unexpected("expected \(word)")
      if text.starts(with: bytes[position..<end]) { position = end }
      throw error
    }
    let after = position + text.count
    if after < end, isWordByte(bytes[after]) { throw unexpected("expected \(word)") }
    position = after
  }

  /// Reads any value and forgets it; checks it like every other.
  public mutating func skipValue() throws(JSONError) {
    switch peek() {
    case UInt8(ascii: "{"):
      try beginObject()
      while try nextKey() != nil { try skipValue() }
    case UInt8(ascii: "["):
      try beginArray()
      while try nextElement() { try skipValue() }
    case UInt8(ascii: "\""): _ = try string()
    case UInt8(ascii: "t"), UInt8(ascii: "f"): _ = try bool()
    case UInt8(ascii: "n"): _ = try null()
    default: _ = try decimal("expected a value")
    }
  }

  /// Checks that nothing but spaces is left.
  public mutating func finish() throws(JSONError) {
    if peek() != nil { throw unexpected("expected nothing more after the value") }
  }

  // MARK: Errors

  /// An error at the next byte, or at a given one.
  public func failure(_ problem: String, at place: Int? = nil) -> JSONError {
    let place = min(place ?? position, end)
    var line = firstLine
    var column = 1
    for byte in bytes[start..<place] {
      if byte == 0x0A {
        line += 1
        column = 1
      } else if byte & 0xC0 != 0x80 {
        column += 1
      }
    }
    return .syntax(line: line, column: column, problem: problem)
  }

  /// An error that also names what stands at the next byte.
  func unexpected(_ problem: String) -> JSONError { failure("\(problem), found \(found)") }

  private var found: String {
    guard position < end else { return "the end" }
    let byte = bytes[position]
    if byte == UInt8(ascii: "\"") { return "a string" }
    if isWordByte(byte) {
      // A whole word says more than its first letter: NaN, Infinity, True.
      let word = bytes[position..<end].prefix(20).prefix(while: isWordByte)
      return "'\(String(decoding: word, as: UTF8.self))'"
    }
    if bytes[position..<end].starts(with: [0xEF, 0xBB, 0xBF]) { return "a byte order mark" }
    if byte > 0x20 && byte < 0x7F { return "'\(Character(Unicode.Scalar(byte)))'" }
    let digits = String(byte, radix: 16, uppercase: true)
    return "the byte 0x" + (digits.count < 2 ? "0" : "") + digits
  }

  private func isWordByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
      true
    default: false
    }
  }
}
