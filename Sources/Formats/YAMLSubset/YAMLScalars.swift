extension YAMLParser {
  /// A scalar outside flow collections: plain or quoted, on one line.
  mutating func inlineScalar() throws(YAMLError) -> YAMLScalar {
    if current == "\"" { return YAMLScalar(try doubleQuoted(), isPlain: false) }
    if current == "'" { return YAMLScalar(try singleQuoted(), isPlain: false) }
    return YAMLScalar(try plain(inFlow: false), isPlain: true)
  }

  /// A scalar without quotes; ends before a comment, a colon with a blank after it, the line's end
  /// and, in a flow collection, at its marks.
  mutating func plain(inFlow: Bool) throws(YAMLError) -> String {
    try checkPlainStart(inFlow: inFlow)
    var text = String.UnicodeScalarView()
    var spaces = 0
    while let scalar = current, !Self.isBreak(scalar) {
      if scalar == " " {
        spaces += 1
        position += 1
        continue
      }
      if scalar == "#", spaces > 0 { break }
      if scalar == "\t" { throw unsupported("a tab outside quotes") }
      if scalar == ":", Self.isBlank(next) || inFlow && Self.isFlowMark(next) || next == "\t" {
        break
      }
      if inFlow, Self.isFlowMark(scalar) { break }
      // PyYAML ends a plain value there and then finds nothing that it could be.
      if inFlow, scalar == "?" { throw syntax("a value with '?' in brackets must be quoted") }
      for _ in 0..<spaces { text.append(" ") }
      spaces = 0
      text.append(scalar)
      position += 1
    }
    // The spaces before a comment belong to it.
    position -= spaces
    return String(text)
  }

  static func isFlowMark(_ scalar: Unicode.Scalar?) -> Bool {
    scalar == "," || scalar == "[" || scalar == "]" || scalar == "{" || scalar == "}"
  }

  private func checkPlainStart(inFlow: Bool) throws(YAMLError) {
    switch current {
    case "&": throw unsupported("an anchor")
    case "*": throw unsupported("an alias")
    case "!": throw unsupported("a tag")
    case "|", ">":
      throw inFlow ? syntax("this character must be quoted") : unsupported("a block scalar")
    case "%", "@", "`", "]", "}", ",", "#":
      throw syntax("a plain value cannot begin with this character; quote it")
    case "?" where Self.isBlank(next) || inFlow:
      throw unsupported("an explicit key")
    case "-" where Self.isBlank(next) || inFlow && Self.isFlowMark(next):
      throw syntax("a sequence's '-' has no place here")
    case ":" where Self.isBlank(next) || inFlow || next == "\t":
      throw unsupported("an empty key")
    default: break
    }
  }

  /// In single quotes only the quote itself is special: it is written twice.
  mutating func singleQuoted() throws(YAMLError) -> String {
    position += 1
    var text = String.UnicodeScalarView()
    while let scalar = current, !Self.isBreak(scalar) {
      position += 1
      if scalar == "'" {
        guard current == "'" else { return String(text) }
        position += 1
      }
      text.append(scalar)
    }
    throw unfinished()
  }

  mutating func doubleQuoted() throws(YAMLError) -> String {
    position += 1
    var text = String.UnicodeScalarView()
    while let scalar = current, !Self.isBreak(scalar) {
      position += 1
      if scalar == "\"" { return String(text) }
      if scalar == "\\" {
        text.append(try escape())
      } else {
        text.append(scalar)
      }
    }
    throw unfinished()
  }

  private func unfinished() -> YAMLError {
    current == nil
      ? syntax("the closing quote is missing") : unsupported("a quoted value over several lines")
  }

  /// What follows a backslash in double quotes.
  private mutating func escape() throws(YAMLError) -> Unicode.Scalar {
    guard let scalar = current else { throw syntax("the closing quote is missing") }
    if Self.isBreak(scalar) { throw unsupported("a quoted value over several lines") }
    position += 1
    switch scalar {
    case "0": return "\0"
    case "a": return "\u{7}"
    case "b": return "\u{8}"
    case "t", "\t": return "\t"
    case "n": return "\n"
    case "v": return "\u{B}"
    case "f": return "\u{C}"
    case "r": return "\r"
    case "e": return "\u{1B}"
    case " ", "\"", "\\", "/": return scalar
    case "N": return "\u{85}"
    case "_": return "\u{A0}"
    case "L": return "\u{2028}"
    case "P": return "\u{2029}"
    case "x": return try hexadecimal(2)
    case "u": return try hexadecimal(4)
    case "U": return try hexadecimal(8)
    default:
      position -= 1
      throw syntax("'\\\(scalar)' has no meaning in double quotes; write '\\\\' for a backslash")
    }
  }

  private mutating func hexadecimal(_ count: Int) throws(YAMLError) -> Unicode.Scalar {
    var value: UInt32 = 0
    for _ in 0..<count {
      guard let scalar = current, scalar.isASCII, let digit = Character(scalar).hexDigitValue else {
        throw syntax("\(count) hexadecimal digits are expected here")
      }
      value = value << 4 | UInt32(digit)
      position += 1
    }
    guard let scalar = Unicode.Scalar(value) else {
      throw syntax("U+\(String(value, radix: 16, uppercase: true)) is no character")
    }
    return scalar
  }
}
