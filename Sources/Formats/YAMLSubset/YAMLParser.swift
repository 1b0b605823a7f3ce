extension YAMLNode {
  /// The document that a text holds; an empty one is an empty plain scalar.
  ///
  /// Read are block and flow mappings and sequences, plain and quoted scalars on one line, comments
  /// and one document start. Refused, each with its line: several documents, directives, anchors,
  /// aliases, tags, block scalars, scalars over several lines, explicit and compound keys, merge
  /// keys, tabs outside quotes. A key that stands twice in one mapping is refused as well, although
  /// PyYAML keeps the last: the other would be lost without a word.
  ///
  /// - Throws: `YAMLError`.
  public init(parsing text: String) throws(YAMLError) {
    var parser = YAMLParser(text)
    self = try parser.document()
  }
}

/// A recursive descent over the characters; the indentation of what encloses is an argument.
struct YAMLParser {
  /// Mappings and sequences inside one another at most.
  static let depthLimit = 64

  let scalars: [Unicode.Scalar]
  var position = 0
  var line = 1
  var lineStart = 0
  var depth = 0

  init(_ text: String) {
    scalars = Array(text.unicodeScalars)
    // A byte order mark is no content.
    if scalars.first == "\u{FEFF}" {
      position = 1
      lineStart = 1
    }
  }

  // MARK: Characters

  var current: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }
  var next: Unicode.Scalar? { position + 1 < scalars.count ? scalars[position + 1] : nil }
  var column: Int { position - lineStart }

  static func isBreak(_ scalar: Unicode.Scalar?) -> Bool { scalar == "\n" || scalar == "\r" }

  /// Whether nothing, a space or a line's end is there.
  static func isBlank(_ scalar: Unicode.Scalar?) -> Bool {
    scalar == nil || scalar == " " || isBreak(scalar)
  }

  func syntax(_ problem: String) -> YAMLError {
    .syntax(line: line, column: column + 1, problem: problem)
  }

  func unsupported(_ what: String) -> YAMLError {
    .unsupported(line: line, column: column + 1, what: what)
  }

  mutating func skipSpaces() {
    while current == " " { position += 1 }
  }

  private mutating func skipComment() {
    guard current == "#", position == lineStart || scalars[position - 1] == " " else { return }
    while let scalar = current, !Self.isBreak(scalar) { position += 1 }
  }

  mutating func takeBreak() -> Bool {
    guard Self.isBreak(current) else { return false }
    position += current == "\r" && next == "\n" ? 2 : 1
    line += 1
    lineStart = position
    return true
  }

  /// Passes spaces, comments and line ends; what comes next stands at `column`.
  mutating func skipBlank() throws(YAMLError) {
    repeat {
      skipSpaces()
      skipComment()
    } while takeBreak()
    if current == "\t" { throw unsupported("a tab outside quotes") }
  }

  /// Passes what may follow a value on its line.
  mutating func endLine() throws(YAMLError) {
    skipSpaces()
    skipComment()
    guard current == nil || Self.isBreak(current) else {
      if current == "\t" || current == ":" && next == "\t" {
        throw unsupported("a tab outside quotes")
      }
      throw syntax("this cannot follow a value on its line")
    }
  }

  var isAtMarker: Bool {
    guard column == 0, position + 2 < scalars.count else { return false }
    let marker = scalars[position...position + 2]
    guard marker.allSatisfy({ $0 == "-" }) || marker.allSatisfy({ $0 == "." }) else { return false }
    return Self.isBlank(position + 3 < scalars.count ? scalars[position + 3] : nil)
  }

  /// Whether the text or its document ends here.
  var isAtEnd: Bool { current == nil || isAtMarker }
}
