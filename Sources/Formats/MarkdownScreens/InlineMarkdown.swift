/// The marks within a line: emphasis, code, links (CommonMark 0.31 §6, as far as chats use them).
///
/// A mark is one only where its partner stands on the same line, at most `limit` characters away; until
/// that is known, nothing from the mark on is given out. What comes out therefore does not depend on
/// how the text was cut.
struct InlineMarkdown {
  /// Longest span, in characters: a bound on what is held back.
  static let limit = 1000

  private let characters: [Character]
  /// The character before the first one, which decides what a mark may be.
  private let previous: Character?
  private let isComplete: Bool
  private(set) var spans: [StyledSpan] = []
  /// How many characters the spans stand for.
  private(set) var consumed = 0

  /// - Parameter isComplete: whether the line ends here.
  init(
    _ characters: [Character], after previous: Character?, isComplete: Bool, style: TextStyle
  ) {
    self.characters = characters
    self.previous = previous
    self.isComplete = isComplete
    parse(style)
  }

  private mutating func parse(_ style: TextStyle) {
    // The last character may grow while more comes: an accent, a joined emoji.
    let end = isComplete ? characters.count : characters.count - 1
    while consumed < end {
      let step: Step
      switch characters[consumed] {
      case "\\": step = escape(style)
      case "`": step = code(style)
      case "*", "_": step = emphasis(style)
      case "~": step = strike(style)
      case "[": step = link(at: consumed, style)
      case "!":
        guard let next = character(consumed + 1) else {
          step = isComplete ? .plain(1) : .wait
          break
        }
        step = next == "[" ? link(at: consumed + 1, style) : .plain(1)
      default: step = .plain(1)
      }
      switch step {
      case .wait: return
      case .plain(let count):
        add(characters[consumed..<consumed + count], style)
        consumed += count
      case .spans(let new, let count):
        spans += new
        consumed += count
      }
    }
  }

  private enum Step {
    /// More text decides.
    case wait
    /// So many characters are what they are.
    case plain(Int)
    case spans([StyledSpan], Int)
  }

  private mutating func add(_ text: ArraySlice<Character>, _ style: TextStyle) {
    if let last = spans.indices.last, spans[last].style == style {
      spans[last].text += String(text)
    } else {
      spans.append(StyledSpan(String(text), style))
    }
  }

  private func character(_ index: Int) -> Character? {
    characters.indices.contains(index) ? characters[index] : nil
  }

  /// Nothing that comes can change what is within the limit, or nothing comes.
  private func isDecided(from start: Int) -> Bool {
    isComplete || characters.count - start > Self.limit
  }

  private func undecided(_ start: Int, _ count: Int) -> Step {
    isDecided(from: start) ? .plain(count) : .wait
  }

  /// Where the search for the partner of a mark ends.
  private func horizon(_ start: Int) -> Int { min(characters.count, start + Self.limit) }

  // MARK: Escapes and code

  /// Characters that a backslash makes ordinary; not those that TeX writes behind one.
  private static let escapable = Set<Character>("`*_#+-.!|>~<")

  private func escape(_ style: TextStyle) -> Step {
    guard let next = character(consumed + 1) else { return isComplete ? .plain(1) : .wait }
    guard Self.escapable.contains(next) else { return .plain(1) }
    return .spans([StyledSpan(String(next), style)], 2)
  }

  private func code(_ style: TextStyle) -> Step {
    let start = consumed
    let count = run(at: start)
    if start + count == characters.count, !isComplete { return .wait }
    guard let end = codeEnd(from: start, marks: count, before: horizon(start)) else {
      return undecided(start, count)
    }
    var content = characters[start + count..<end]
    // One blank on either side is there to keep a backtick from the mark.
    if content.count > 2, content.first == " ", content.last == " " {
      content = content.dropFirst().dropLast()
    }
    return .spans(
      [StyledSpan(String(content), style.union(.code))], end + count - start)
  }

  /// Where the run of as many backticks begins that ends a code span; nil where there is none yet.
  private func codeEnd(from start: Int, marks: Int, before end: Int) -> Int? {
    var index = start + marks
    while index < end {
      guard characters[index] == "`" else {
        index += 1
        continue
      }
      let count = run(at: index)
      if count == marks, index + count <= end, index + count < characters.count || isComplete {
        return index
      }
      index += count
    }
    return nil
  }

  /// How often the character at an index stands there in a row.
  private func run(at index: Int) -> Int {
    characters[index...].prefix { $0 == characters[index] }.count
  }

  // MARK: Emphasis

  private func emphasis(_ style: TextStyle) -> Step {
    let start = consumed
    let mark = characters[start]
    let count = run(at: start)
    let before = start == 0 ? previous : characters[start - 1]
    // More than three are no mark, nor is what is left of them.
    guard count <= 3, before != mark else { return .plain(count) }
    guard let next = character(start + count) else { return isComplete ? .plain(count) : .wait }
    guard canOpen(mark, before: before, next) else { return .plain(count) }
    guard let closing = closing(mark, count: count, from: start) else {
      return undecided(start, count)
    }
    let inner = InlineMarkdown(
      Array(characters[start + count..<closing]), after: mark, isComplete: true,
      style: style.union([.italic, .bold, [.bold, .italic]][count - 1]))
    return .spans(inner.spans, closing + count - start)
  }

  private func canOpen(_ mark: Character, before: Character?, _ next: Character) -> Bool {
    guard !next.isWhitespace else { return false }
    let isWordBefore = before.map { $0.isLetter || $0.isNumber } ?? false
    if mark == "_", isWordBefore { return false }
    return !Self.isPunctuation(next) || !isWordBefore
  }

  private static func isPunctuation(_ character: Character) -> Bool {
    character.isPunctuation || character.isSymbol
  }

  /// Where the marks begin that end an emphasis; nil where there are none yet.
  private func closing(_ mark: Character, count: Int, from start: Int) -> Int? {
    var index = start + count
    let first = index
    let end = horizon(start)
    // Emphasis within this one, which has marks of its own.
    var open: [Int] = []
    while index < end {
      switch characters[index] {
      case "\\": index += 2
      case "`":
        let marks = run(at: index)
        let codeEnd = codeEnd(from: index, marks: marks, before: end)
        if codeEnd == nil, !isDecided(from: start) { return nil }
        index = (codeEnd ?? index) + marks
      case mark:
        var marks = run(at: index)
        let runEnd = index + marks
        guard runEnd <= end, runEnd < characters.count || isComplete else { return nil }
        let before = characters[index - 1]
        let next = character(runEnd)
        let isClosing =
          !before.isWhitespace && index > first
          && (mark == "*" || next.map { !$0.isLetter && !$0.isNumber } ?? true)
        if isClosing {
          while let inner = open.last, inner <= marks {
            marks -= inner
            open.removeLast()
          }
          if open.isEmpty, marks >= count { return runEnd - marks }
        } else if let next, canOpen(mark, before: before, next), marks <= 3 {
          open.append(marks)
        }
        index = runEnd
      default: index += 1
      }
    }
    return nil
  }

  private func strike(_ style: TextStyle) -> Step {
    let start = consumed
    let count = run(at: start)
    guard let next = character(start + count) else { return isComplete ? .plain(count) : .wait }
    guard count == 2, !next.isWhitespace else { return .plain(count) }
    var index = start + 2
    let end = horizon(start)
    while index + 1 < end {
      if characters[index] == "~", characters[index + 1] == "~",
        !characters[index - 1].isWhitespace
      {
        let inner = InlineMarkdown(
          Array(characters[start + 2..<index]), after: "~", isComplete: true,
          style: style.union(.strike))
        return .spans(inner.spans, index + 2 - start)
      }
      index += 1
    }
    return undecided(start, count)
  }

  // MARK: Links

  /// A link or a picture whose bracket opens at an index: the text, and behind it where it leads.
  private func link(at bracket: Int, _ style: TextStyle) -> Step {
    let start = consumed
    let horizon = horizon(start)
    guard let close = partner(of: "[", "]", from: bracket, before: horizon) else {
      return undecided(start, bracket + 1 - start)
    }
    guard let next = character(close + 1) else {
      return isComplete ? .plain(bracket + 1 - start) : .wait
    }
    guard next == "(" else { return .plain(bracket + 1 - start) }
    guard let end = partner(of: "(", ")", from: close + 1, before: horizon) else {
      return undecided(start, bracket + 1 - start)
    }
    let title = Array(characters[bracket + 1..<close])
    let target = String(characters[close + 2..<end].prefix { !$0.isWhitespace })
    let inner = InlineMarkdown(
      title, after: "[", isComplete: true, style: style.union(.underline))
    // Where a link leads is always shown: its text may say something else.
    var spans = inner.spans
    if spans.isEmpty {
      spans = [StyledSpan(target, style.union(.underline))]
    } else if !target.isEmpty, target != String(title) {
      spans.append(StyledSpan(" (\(target))", style.union(.dim)))
    }
    return .spans(spans, end + 1 - start)
  }

  private func partner(
    of open: Character, _ close: Character, from start: Int, before end: Int
  ) -> Int? {
    guard start < end else { return nil }
    var depth = 0
    for index in start..<end {
      if characters[index] == open { depth += 1 }
      if characters[index] == close { depth -= 1 }
      if depth == 0 { return index }
    }
    return nil
  }
}
