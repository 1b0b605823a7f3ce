import TextColumns

/// Makes a readable terminal text of Markdown while it is being written.
///
/// Works line by line: what a mark means is decided within its line, so that text flows, and what was
/// written is never changed. Only tables are held until they end, for their columns' widths. Each line
/// of the source stays a line, as those who write in chats mean it. The outcome does not depend on how
/// the text is cut. The text is not trusted: of control characters only line breaks and tabs pass.
public struct MarkdownScreen: Sendable {
  /// Most rows of a table that are held; longer ones are drawn in parts.
  static let tableLimit = 500

  private var writer: LineWriter
  private let meter: ColumnMeter
  private let usesStyle: Bool
  private let base: TextStyle

  /// What is left of the present line.
  private var rest = ""
  private var line = Line.undecided
  /// The character before `rest`.
  private var previous: Character?
  private var fence: Fence?
  private var table: HeldTable?

  private enum Line {
    /// Its kind is not known yet.
    case undecided
    case text(TextStyle)
    case code
    /// Nothing of it is shown before it is whole.
    case tableRow(MarkdownLine.Start)
    case done

    var isUndecided: Bool {
      if case .undecided = self { true } else { false }
    }
  }

  private struct Fence {
    var mark: Character
    var count: Int
    var indent: Int
    var quotes: Int
    var lead: [StyledSpan]
  }

  private struct HeldTable {
    var lead: [StyledSpan]
    var lines: [String]
  }

  /// - Parameters:
  ///   - columns: of the terminal; its last one stays free.
  ///   - usesStyle: whether marks become styles; else they stay, and only lines, lists and tables are
  ///     laid out.
  ///   - base: what all text looks like.
  public init(
    columns: Int, usesStyle: Bool, base: TextStyle = [], meter: ColumnMeter = .init()
  ) {
    writer = LineWriter(columns: max(10, columns - 1), meter: meter, usesStyle: usesStyle)
    self.meter = meter
    self.usesStyle = usesStyle
    self.base = base
  }

  /// Columns of the terminal, which may change.
  public var columns: Int {
    get { writer.columns + 1 }
    set { writer.columns = max(10, newValue - 1) }
  }

  /// Whether nothing was written so far.
  public var isEmpty: Bool { writer.isEmpty }

  /// Takes the next text and returns what to write.
  public mutating func feed(_ text: String) -> String {
    var parts = Self.harmless(text).split(separator: "\n", omittingEmptySubsequences: false)[...]
    while let part = parts.popFirst() {
      rest += part
      advance(isComplete: !parts.isEmpty)
      if !parts.isEmpty { endLine() }
    }
    return writer.take()
  }

  /// What is left to write; the last line has no line break.
  public mutating func finish() -> String {
    if !rest.isEmpty || !line.isUndecided {
      advance(isComplete: true)
      writer.endWord()
    }
    drawTable()
    return writer.take()
  }

  /// The text without control characters, but for line breaks and tabs, and without marks that turn
  /// the direction of writing for what comes behind.
  private static func harmless(_ text: String) -> String {
    let scalars = text.unicodeScalars.filter { scalar in
      if scalar == "\n" || scalar == "\t" { return true }
      if (0x202A...0x202E).contains(scalar.value) || (0x2066...0x2069).contains(scalar.value) {
        return false
      }
      let category = scalar.properties.generalCategory
      return category != .control && category != .lineSeparator && category != .paragraphSeparator
    }
    return String(String.UnicodeScalarView(scalars))
  }

  // MARK: Lines

  private mutating func advance(isComplete: Bool) {
    if line.isUndecided {
      if fence != nil { decideCode(isComplete: isComplete) } else { decide(isComplete: isComplete) }
    }
    switch line {
    case .undecided, .done: break
    case .code:
      // The last character may still grow: an accent, a joined emoji.
      let last = isComplete ? "" : rest.popLast().map(String.init) ?? ""
      writer.putUnbroken(StyledSpan(rest, base))
      rest = last
    case .text(let style): putText(style, isComplete: isComplete)
    case .tableRow(let start): if isComplete { holdRow(start) }
    }
  }

  private mutating func endLine() {
    writer.endWord()
    if case .done = line {} else { writer.breakLine() }
    line = .undecided
    rest = ""
    previous = nil
  }

  private mutating func putText(_ style: TextStyle, isComplete: Bool) {
    guard usesStyle else {
      writer.put(StyledSpan(rest, style))
      rest = ""
      return
    }
    let characters = Array(rest)
    let parsed = InlineMarkdown(
      characters, after: previous, isComplete: isComplete, style: style)
    for span in parsed.spans { writer.put(span) }
    if parsed.consumed > 0 {
      previous = characters[parsed.consumed - 1]
      rest = String(characters[parsed.consumed...])
    }
  }

  /// Finds out what kind of line begins, and writes what stands before its text.
  private mutating func decide(isComplete: Bool) {
    let characters = Array(rest)
    guard let start = MarkdownLine.start(of: characters, isComplete: isComplete) else { return }
    if case .tableRow = start.kind {
      line = .tableRow(start)
      return
    }
    drawTable()
    let quotes = StyledSpan(String(repeating: "│ ", count: min(start.quotes, 8)), base.union(.dim))
    let indent = String(repeating: " ", count: min(start.indent, writer.columns / 2))
    let lead = [quotes, StyledSpan(indent, base)]
    let source = StyledSpan(String(characters[..<start.length]), base)
    rest = String(characters[start.length...])
    previous = nil
    line = .text(base)
    switch start.kind {
    case .blank:
      if start.quotes > 0 { writer.begin(first: lead) }
      line = .text(base)
    case .text, .tableRow: writer.begin(first: lead, lead: lead)
    case .heading(let level):
      let style: TextStyle = level == 1 ? [.bold, .underline] : .bold
      writer.begin(first: usesStyle ? [quotes] : [source], lead: [quotes])
      line = .text(base.union(style))
    case .rule:
      writer.begin(first: lead)
      let count = max(3, min(40, writer.columns) - 2 * start.quotes)
      writer.putUnbroken(StyledSpan(String(repeating: "─", count: count), base.union(.dim)))
    case .item(let marker):
      let hang = String(repeating: " ", count: meter.columns(marker) + 1)
      writer.begin(
        first: lead + [StyledSpan(marker + " ", base)], lead: lead + [StyledSpan(hang, base)])
    case .fence(let mark, let count, let language):
      fence = Fence(
        mark: mark, count: count, indent: start.indent, quotes: start.quotes, lead: lead)
      writer.begin(first: usesStyle ? lead : [source])
      if usesStyle { drawFence(language) }
    }
  }

  // MARK: Code

  /// Whether a line within code ends it, which its first characters decide.
  private mutating func decideCode(isComplete: Bool) {
    guard let fence else { return }
    var content = Array(rest)[...]
    for _ in 0..<fence.quotes {
      let mark = content.drop { $0 == " " }
      guard mark.first == ">" else { break }
      content = mark.dropFirst().first == " " ? mark.dropFirst(2) : mark.dropFirst()
    }
    let marks = content.drop { $0 == " " }
    let count = marks.prefix { $0 == fence.mark }.count
    let mayEnd = marks.dropFirst(count).allSatisfy { $0 == " " }
    if mayEnd, !isComplete { return }
    // What stood in quotes ends with them.
    if mayEnd, count >= fence.count {
      writer.begin(first: fence.lead)
      if usesStyle { drawFence("") } else { writer.putUnbroken(StyledSpan(String(marks), base)) }
      self.fence = nil
      line = .text(base)
      rest = ""
      return
    }
    let blanks = min(fence.indent, content.prefix { $0 == " " }.count)
    rest = String(content.dropFirst(blanks))
    writer.begin(first: fence.lead)
    line = .code
  }

  /// A line above and below code, so that the code itself can be copied.
  private mutating func drawFence(_ language: String) {
    let title = language.isEmpty ? "" : " \(language.prefix(20)) "
    let count = max(2, min(40, writer.columns - 4) - 2 - meter.columns(title))
    writer.putUnbroken(
      StyledSpan("──\(title)" + String(repeating: "─", count: count), base.union(.dim)))
  }

  // MARK: Tables

  private mutating func holdRow(_ start: MarkdownLine.Start) {
    let row = String(Array(rest)[start.length...]).replacing("\t", with: " ")
    rest = ""
    let quotes = StyledSpan(String(repeating: "│ ", count: min(start.quotes, 8)), base.union(.dim))
    let indent = String(repeating: " ", count: min(start.indent, writer.columns / 2))
    if table == nil { table = HeldTable(lead: [quotes, StyledSpan(indent, base)], lines: []) }
    table?.lines.append(row)
    line = .done
    if table?.lines.count ?? 0 >= Self.tableLimit { drawTable() }
  }

  /// Draws the table that has ended.
  private mutating func drawTable() {
    guard let held = table else { return }
    table = nil
    let lead = held.lead.reduce(0) { $0 + meter.columns($1.text) }
    guard
      let drawn = MarkdownTable(held.lines, base: base, parsesMarks: usesStyle, meter: meter)
    else {
      let next = rest
      for row in held.lines {
        writer.begin(first: held.lead, lead: held.lead)
        rest = row
        previous = nil
        putText(base, isComplete: true)
        writer.breakLine()
      }
      rest = next
      return
    }
    for row in drawn.drawn(columns: writer.columns - lead) {
      writer.begin(first: held.lead, lead: held.lead)
      for span in row { writer.putUnbroken(span) }
      writer.breakLine()
    }
  }
}
