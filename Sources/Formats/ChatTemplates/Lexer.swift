/// Cuts a template into tokens, as jinja2's lexer does with `trim_blocks` and `lstrip_blocks`.
///
/// Facts of the language are those of jinja2 3.1 (`lexer.py`): a line break after a block or a comment
/// is dropped, so are blanks before one that begins a line, `-` strips all white space on its side,
/// `+` keeps it, and the last line break of the template does not count.
struct Lexer {
  private let source: [UInt32]
  var index = 0
  private var position = Position()
  private var tokens: [Token] = []
  /// Whether what comes next begins a line, so that blanks before a block are dropped.
  private var isAtLineStart = true
  /// Closing brackets that are still missing.
  private var brackets: [(closing: String, position: Position)] = []

  /// All tokens of a template; the last one is `.end`.
  static func tokens(of template: String) throws -> [Token] {
    var lexer = Lexer(template)
    try lexer.run()
    return lexer.tokens
  }

  private init(_ template: String) {
    var points: [UInt32] = []
    points.reserveCapacity(template.utf8.count)
    for scalar in template.unicodeScalars {
      let isSecondOfPair = scalar == "\n" && points.last == 0x0D
      if points.last == 0x0D { points[points.count - 1] = 0x0A }
      if !isSecondOfPair { points.append(scalar.value) }
    }
    if points.last == 0x0D { points[points.count - 1] = 0x0A }
    if points.last == 0x0A { points.removeLast() }
    source = points
  }

  // MARK: Outside of tags

  private mutating func run() throws {
    while index < source.count {
      let start = index
      while index < source.count, !isTagStart(index) { index += 1 }
      guard index < source.count else {
        addData(start..<source.count)
        break
      }
      try readTag(dataFrom: start)
    }
    index = source.count
    tokens.append(Token(kind: .end, position: place()))
  }

  private func isTagStart(_ index: Int) -> Bool {
    guard source[index] == "{", index + 1 < source.count else { return false }
    let next = source[index + 1]
    return next == "%" || next == "{" || next == "#"
  }

  private mutating func readTag(dataFrom start: Int) throws {
    let tag = index
    let kind = source[tag + 1]
    let sign = tag + 2 < source.count ? source[tag + 2] : 0
    let isStripping = sign == "-"
    let isKeeping = sign == "+"
    addData(start..<dataEnd(start, tag, isStripping, keeps: isKeeping || kind == "{"))
    index = tag
    let opening = place()
    index += isStripping || isKeeping ? 3 : 2
    isAtLineStart = false
    switch kind {
    case "#": try readComment(opening)
    case "{":
      tokens.append(Token(kind: .variableBegin, position: opening))
      try readInside(isBlock: false, opening)
    default:
      if let end = rawBegin(after: index) {
        index = end
        try readRaw(opening)
      } else {
        tokens.append(Token(kind: .blockBegin, position: opening))
        try readInside(isBlock: true, opening)
      }
    }
  }

  /// Where the text before a tag ends, once white space is stripped.
  private func dataEnd(_ start: Int, _ tag: Int, _ isStripping: Bool, keeps: Bool) -> Int {
    var end = tag
    if isStripping {
      while end > start, source[end - 1].isPythonSpace { end -= 1 }
      return end
    }
    if keeps { return tag }
    while end > start, source[end - 1] != "\n" {
      guard source[end - 1].isPythonSpace else { return tag }
      end -= 1
    }
    return end > start || isAtLineStart ? end : tag
  }

  private mutating func addData(_ range: Range<Int>) {
    guard !range.isEmpty else { return }
    let saved = index
    index = range.lowerBound
    tokens.append(Token(kind: .data(Array(source[range])), position: place()))
    index = saved
  }

  private mutating func readComment(_ opening: Position) throws {
    while index < source.count {
      if let end = endOfTag("#", at: index, trims: true) {
        finishTag(end)
        return
      }
      index += 1
    }
    throw opening.error("this comment has no end; '#}' is missing")
  }

  /// The end of `{% raw %}`, where that is what begins here.
  private func rawBegin(after start: Int) -> Int? {
    guard let word = word("raw", after: start) else { return nil }
    if has("-%}", at: word) { return skippingSpaces(word + 3) }
    return has("%}", at: word) ? word + 2 : nil
  }

  /// The end of a word with white space around it.
  private func word(_ word: String, after start: Int) -> Int? {
    let start = skippingSpaces(start)
    return has(word, at: start) ? skippingSpaces(start + word.unicodeScalars.count) : nil
  }

  private mutating func readRaw(_ opening: Position) throws {
    isAtLineStart = index > 0 && source[index - 1] == "\n"
    let start = index
    while index < source.count {
      if has("{%", at: index) {
        let sign = index + 2 < source.count ? source[index + 2] : 0
        let after = index + (sign == "-" || sign == "+" ? 3 : 2)
        if let word = word("endraw", after: after), let end = endOfTag("%", at: word, trims: true) {
          addData(start..<dataEnd(start, index, sign == "-", keeps: sign == "+"))
          finishTag(end)
          return
        }
      }
      index += 1
    }
    throw opening.error("this raw block has no end; {% endraw %} is missing")
  }

  // MARK: Inside of tags

  private mutating func readInside(isBlock: Bool, _ opening: Position) throws {
    brackets = []
    while index < source.count {
      if brackets.isEmpty, let end = endOfTag(isBlock ? "%" : "}", at: index, trims: isBlock) {
        tokens.append(Token(kind: isBlock ? .blockEnd : .variableEnd, position: place()))
        finishTag(end)
        return
      }
      if source[index].isPythonSpace {
        index += 1
      } else {
        try readToken()
      }
    }
    if let open = brackets.last { throw open.position.error("'\(open.closing)' is missing") }
    throw opening.error("this tag has no end; '\(isBlock ? "%}" : "}}")' is missing")
  }

  /// The end of a tag's closing sign that stands here, with what it strips; nil where none does.
  private func endOfTag(_ sign: Unicode.Scalar, at index: Int, trims: Bool) -> Int? {
    let closing = String(sign) + "}"
    if has("-" + closing, at: index) { return skippingSpaces(index + 3) }
    // `+}}` is no sign of its own: a variable never drops what follows it.
    if trims, has("+" + closing, at: index) { return index + 3 }
    guard has(closing, at: index) else { return nil }
    return index + (trims && index + 2 < source.count && source[index + 2] == "\n" ? 3 : 2)
  }

  private mutating func finishTag(_ end: Int) {
    index = end
    isAtLineStart = source[end - 1] == "\n"
  }

  private mutating func readToken() throws {
    let position = place()
    if let (kind, end) = number(at: index) {
      index = end
      tokens.append(Token(kind: kind, position: position))
    } else if source[index].isWord {
      let start = index
      while index < source.count, source[index].isWord { index += 1 }
      let name = Text.string(of: source[start..<index])
      if source[start].isDigit || source[start].isNumeric && !source[start].isAlphabetic {
        throw position.error("'\(name)' is no name")
      }
      tokens.append(Token(kind: .name(name), position: position))
    } else if source[index] == "'" || source[index] == "\"" {
      tokens.append(Token(kind: .string(try readString(position)), position: position))
    } else {
      tokens.append(Token(kind: .sign(try readSign(position)), position: position))
    }
  }

  private static let signs = [
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}",
    ">", "<", "=", ".", ":", "|", ",", ";",
  ]

  private mutating func readSign(_ position: Position) throws -> String {
    guard let sign = Self.signs.first(where: { has($0, at: index) }) else {
      let character = Text.string(of: source[index...index])
      throw position.error("'\(character)' means nothing here")
    }
    switch sign {
    case "{": brackets.append(("}", position))
    case "(": brackets.append((")", position))
    case "[": brackets.append(("]", position))
    case "}", ")", "]":
      guard let open = brackets.popLast() else { throw position.error("'\(sign)' closes nothing") }
      guard open.closing == sign else {
        throw position.error("'\(sign)' stands where '\(open.closing)' is expected")
      }
    default: break
    }
    index += sign.unicodeScalars.count
    return sign
  }

  private mutating func readString(_ position: Position) throws -> [UInt32] {
    let quote = source[index]
    let start = index + 1
    var end = start
    while end < source.count, source[end] != quote { end += source[end] == "\\" ? 2 : 1 }
    guard end < source.count else { throw position.error("this string has no end") }
    index = end + 1
    return try StringEscapes.resolve(source[start..<end], position)
  }

  private func number(at start: Int) -> (Token.Kind, Int)? {
    guard source[start].isASCIIDigit else { return nil }
    let follows = start > 0 && source[start - 1] == "."
    return NumberLiterals.read(source, from: start, allowsFloat: !follows)
  }

  // MARK: Places

  private func has(_ text: String, at start: Int) -> Bool {
    var index = start
    for scalar in text.unicodeScalars {
      guard index < source.count, source[index] == scalar.value else { return false }
      index += 1
    }
    return true
  }

  private func skippingSpaces(_ start: Int) -> Int {
    var index = start
    while index < source.count, source[index].isPythonSpace { index += 1 }
    return index
  }

  /// How far `position` has been counted.
  private var counted = 0

  /// The place of `index`.
  private mutating func place() -> Position {
    if index < counted {
      counted = 0
      position = Position()
    }
    while counted < index {
      if source[counted] == "\n" {
        position.line += 1
        position.column = 1
      } else {
        position.column += 1
      }
      counted += 1
    }
    return position
  }
}

extension UInt32 {
  static func == (point: UInt32, scalar: Unicode.Scalar) -> Bool { point == scalar.value }
  static func != (point: UInt32, scalar: Unicode.Scalar) -> Bool { point != scalar.value }
  static func ~= (scalar: Unicode.Scalar, point: UInt32) -> Bool { point == scalar.value }
}
