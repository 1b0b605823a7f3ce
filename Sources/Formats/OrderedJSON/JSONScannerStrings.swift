extension JSONScanner {
  /// Reads a string, its escapes resolved.
  ///
  /// The text must be UTF-8 and its `\u` escapes whole characters: a lone surrogate stands for no
  /// character and is refused.
  public mutating func string() throws(JSONError) -> String {
    guard peek() == UInt8(ascii: "\"") else { throw unexpected("expected a string") }
    let opening = position
    let first = position + 1
    var index = first
    var isASCII = true
    while index < end {
      let byte = bytes[index]
      if byte == UInt8(ascii: "\"") {
        position = index + 1
        return try text(of: first..<index, isASCII: isASCII)
      }
      if byte == UInt8(ascii: "\\") { return try escapedString(opening, copying: first..<index) }
      guard byte >= 0x20 else { throw controlCharacter(at: index) }
      if byte >= 0x80 { isASCII = false }
      index += 1
    }
    position = end
    throw failure("this string has no closing quote", at: opening)
  }

  private func text(of range: Range<Int>, isASCII: Bool) throws(JSONError) -> String {
    if isASCII { return String(decoding: bytes[range], as: UTF8.self) }
    if let text = String(validating: bytes[range], as: UTF8.self) { return text }
    var decoder = UTF8()
    var iterator = bytes[range].makeIterator()
    var offset = range.lowerBound
    while case .scalarValue(let scalar) = decoder.decode(&iterator) {
      offset += UTF8.width(scalar)
    }
    throw failure("this byte is not UTF-8", at: offset)
  }

  /// The slow way, from the first backslash on: pieces between escapes are copied.
  private mutating func escapedString(
    _ opening: Int, copying prefix: Range<Int>
  ) throws(JSONError) -> String {
    var result = try text(of: prefix, isASCII: false)
    var pieceStart = prefix.upperBound
    position = pieceStart
    while position < end {
      let byte = bytes[position]
      guard byte >= 0x20 else { throw controlCharacter(at: position) }
      guard byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else {
        position += 1
        continue
      }
      result += try text(of: pieceStart..<position, isASCII: false)
      position += 1
      if byte == UInt8(ascii: "\"") { return result }
      result.unicodeScalars.append(try escape(opening))
      pieceStart = position
    }
    throw failure("this string has no closing quote", at: opening)
  }

  /// Reads what follows a backslash.
  private mutating func escape(_ opening: Int) throws(JSONError) -> Unicode.Scalar {
    guard position < end else { throw failure("this string has no closing quote", at: opening) }
    let byte = bytes[position]
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): return try unicodeEscape()
    default:
      throw failure(
        "a backslash must be followed by one of \" \\ / b f n r t u", at: position - 2)
    }
  }

  private mutating func unicodeEscape() throws(JSONError) -> Unicode.Scalar {
    let place = position - 2
    let unit = try hexadecimal(place)
    if let scalar = Unicode.Scalar(unit) { return scalar }
    // A surrogate: the first half of a pair must be followed by the second.
    guard unit < 0xDC00, position + 1 < end, bytes[position] == UInt8(ascii: "\\"),
      bytes[position + 1] == UInt8(ascii: "u")
    else { throw failure("this half of a surrogate pair stands alone", at: place) }
    position += 2
    let second = try hexadecimal(place + 6)
    guard (0xDC00...0xDFFF).contains(second),
      let scalar = Unicode.Scalar(
        0x10000 + (UInt32(unit & 0x3FF) << 10 | UInt32(second & 0x3FF)))
    else { throw failure("this half of a surrogate pair stands alone", at: place) }
    return scalar
  }

  private mutating func hexadecimal(_ place: Int) throws(JSONError) -> UInt16 {
    var result: UInt16 = 0
    for _ in 0..<4 {
      guard position < end, let digit = Self.hexadecimalDigit(bytes[position]) else {
        throw failure("\\u must be followed by four hexadecimal digits", at: place)
      }
      result = result << 4 | digit
      position += 1
    }
    return result
  }

  private static func hexadecimalDigit(_ byte: UInt8) -> UInt16? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt16(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt16(byte - UInt8(ascii: "a") + 10)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt16(byte - UInt8(ascii: "A") + 10)
    default: nil
    }
  }

  private func controlCharacter(at index: Int) -> JSONError {
    bytes[index] == 0x0A
      ? failure(
        "this string has no closing quote on its line; a line break in it is \\n", at: index)
      : failure("a control character in a string must be written as an escape", at: index)
  }
}
