/// What kind of line begins, told by its first characters.
enum MarkdownLine: Equatable {
  case blank
  case text
  case heading(level: Int)
  case rule
  /// `marker` is what to show, such as `•` or `3.`.
  case item(marker: String)
  /// The line that begins a block of code: its character, how often it stands there, the language.
  case fence(mark: Character, count: Int, language: String)
  case tableRow

  /// Where the line's own text begins, and what stands before it.
  struct Start: Equatable {
    var kind: MarkdownLine
    /// Characters before the text.
    var length: Int
    /// Depth of quotes around it, and the columns of blanks behind those.
    var quotes = 0
    var indent = 0
  }

  /// The kind of a line; nil where more characters decide.
  static func start(of line: [Character], isComplete: Bool) -> Start? {
    var start = Start(kind: .text, length: 0)
    // The last character may still grow.
    let end = isComplete ? line.count : line.count - 1
    while true {
      var indent = 0
      while start.length < end, line[start.length] == " " || line[start.length] == "\t" {
        indent += line[start.length] == "\t" ? 4 : 1
        start.length += 1
      }
      guard start.length < end else {
        start.kind = .blank
        return isComplete ? start : nil
      }
      start.indent = indent
      guard line[start.length] == ">" else { break }
      start.quotes += 1
      start.length += 1
      // The blank behind the mark belongs to it.
      if start.length < end, line[start.length] == " " { start.length += 1 }
    }
    let rest = line[start.length..<end]
    guard let (kind, length) = kind(of: rest, isComplete: isComplete) else { return nil }
    start.kind = kind
    start.length += length
    return start
  }

  /// The kind of what is neither blank nor a quote, and how many characters stand before its text.
  private static func kind(
    of rest: ArraySlice<Character>, isComplete: Bool
  ) -> (MarkdownLine, Int)? {
    guard let first = rest.first else { return isComplete ? (.blank, 0) : nil }
    switch first {
    case "#": return heading(rest, isComplete)
    case "`", "~": return fence(rest, first, isComplete)
    case "-", "*", "+", "_": return ruleOrItem(rest, first, isComplete)
    case "|": return (.tableRow, 0)
    case _ where first.isASCII && first.isNumber: return numbered(rest, isComplete)
    default: return (.text, 0)
    }
  }

  private static func heading(
    _ rest: ArraySlice<Character>, _ isComplete: Bool
  ) -> (MarkdownLine, Int)? {
    let marks = rest.prefix { $0 == "#" }.count
    guard marks < rest.count else { return isComplete ? (.text, 0) : nil }
    let behind = rest.dropFirst(marks)
    guard marks <= 6, behind.first == " " else { return (.text, 0) }
    let blanks = behind.prefix { $0 == " " }.count
    guard blanks < behind.count || isComplete else { return nil }
    return (.heading(level: marks), marks + blanks)
  }

  private static func fence(
    _ rest: ArraySlice<Character>, _ mark: Character, _ isComplete: Bool
  ) -> (MarkdownLine, Int)? {
    let marks = rest.prefix { $0 == mark }.count
    guard marks >= 3 else { return marks < rest.count || isComplete ? (.text, 0) : nil }
    let info = rest.dropFirst(marks)
    if mark == "`", info.contains("`") { return (.text, 0) }
    guard isComplete else { return nil }
    let language = String(info.drop { $0 == " " }.prefix { !$0.isWhitespace })
    return (.fence(mark: mark, count: marks, language: language), rest.count)
  }

  /// A bound on what is held back of a line that may be a rule.
  private static let longestRule = 400

  private static func ruleOrItem(
    _ rest: ArraySlice<Character>, _ mark: Character, _ isComplete: Bool
  ) -> (MarkdownLine, Int)? {
    let beginning = rest.prefix(longestRule)
    if beginning.allSatisfy({ $0 == mark || $0 == " " }), mark != "+" {
      if beginning.count == longestRule { return (.text, 0) }
      guard isComplete else { return nil }
      if rest.count(where: { $0 == mark }) >= 3 { return (.rule, rest.count) }
    }
    guard mark != "_" else { return (.text, 0) }
    return item(rest, marker: "•", length: 1, isComplete)
  }

  private static func numbered(
    _ rest: ArraySlice<Character>, _ isComplete: Bool
  ) -> (MarkdownLine, Int)? {
    let digits = rest.prefix { $0.isASCII && $0.isNumber }
    guard digits.count <= 9 else { return (.text, 0) }
    guard let point = rest.dropFirst(digits.count).first else {
      return isComplete ? (.text, 0) : nil
    }
    guard point == "." || point == ")" else { return (.text, 0) }
    return item(rest, marker: String(digits) + String(point), length: digits.count + 1, isComplete)
  }

  /// An item, where a blank stands behind its marker; a box is shown in the marker's place.
  private static func item(
    _ rest: ArraySlice<Character>, marker: String, length: Int, _ isComplete: Bool
  ) -> (MarkdownLine, Int)? {
    let behind = rest.dropFirst(length)
    let blanks = behind.prefix { $0 == " " }.count
    guard let next = behind.dropFirst(blanks).first else {
      if !isComplete { return nil }
      return blanks > 0 || behind.isEmpty ? (.item(marker: marker), rest.count) : (.text, 0)
    }
    guard blanks > 0 else { return (.text, 0) }
    let text = length + blanks
    guard next == "[", marker == "•" else { return (.item(marker: marker), text) }
    let box = rest.dropFirst(text).prefix(4)
    guard box.count == 4 || isComplete else { return nil }
    switch String(box) {
    case "[ ] ": return (.item(marker: "☐"), text + 4)
    case "[x] ", "[X] ": return (.item(marker: "☑"), text + 4)
    default: return (.item(marker: marker), text)
    }
  }
}
