import TextColumns

/// A table of GitHub's kind, whose columns are as wide as what stands in them.
///
/// Where it is wider than the terminal, the widest columns become narrower and their cells have several
/// rows; where even that does not help, each row becomes a list.
struct MarkdownTable {
  private enum Alignment { case left, center, right }
  private typealias Cell = [StyledSpan]

  private static let narrowest = 4

  private var rows: [[Cell]] = []
  private var alignments: [Alignment] = []
  private let meter: ColumnMeter
  private let base: TextStyle

  /// Reads the lines of a table; nil where they are none, since the second says what each column is.
  ///
  /// - Parameter parsesMarks: whether cells have marks; else they are shown as they are written.
  init?(_ lines: [String], base: TextStyle, parsesMarks: Bool, meter: ColumnMeter) {
    guard lines.count >= 2 else { return nil }
    self.meter = meter
    self.base = base
    let cells = lines.map(Self.cells)
    guard let alignments = Self.alignments(cells[1]), alignments.count == cells[0].count else {
      return nil
    }
    self.alignments = alignments
    for (index, line) in cells.enumerated() where index != 1 {
      let style = index == 0 ? base.union(.bold) : base
      rows.append(
        alignments.indices.map { column in
          guard column < line.count else { return [] }
          let text = line[column]
          guard parsesMarks else { return [StyledSpan(text, style)] }
          return InlineMarkdown(Array(text), after: nil, isComplete: true, style: style).spans
        })
    }
  }

  /// The cells of a line: what stands between bars that are neither escaped nor in code.
  private static func cells(_ line: String) -> [String] {
    var cells: [String] = []
    var cell = ""
    var isEscaped = false
    var isCode = false
    for character in line.drop(while: { $0 == " " }).dropFirst() {
      if character == "|", !isEscaped, !isCode {
        cells.append(cell)
        cell = ""
        continue
      }
      if character == "`", !isEscaped { isCode.toggle() }
      isEscaped = character == "\\" && !isEscaped
      cell.append(character)
    }
    if cell.contains(where: { $0 != " " }) { cells.append(cell) }
    return cells.map(trimmed)
  }

  private static func trimmed(_ text: String) -> String {
    var text = text.drop { $0.isWhitespace }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }

  private static func alignments(_ cells: [String]) -> [Alignment]? {
    guard !cells.isEmpty else { return nil }
    var result: [Alignment] = []
    for cell in cells {
      let dashes = cell.drop { $0 == ":" }.prefix { $0 == "-" }.count
      let colons = (cell.hasPrefix(":") ? 1 : 0, cell.hasSuffix(":") ? 1 : 0)
      guard dashes >= 1, cell.count == dashes + colons.0 + colons.1 else { return nil }
      result.append(colons == (1, 1) ? .center : colons.1 == 1 ? .right : .left)
    }
    return result
  }

  // MARK: Drawing

  /// The rows of the screen.
  func drawn(columns: Int) -> [[StyledSpan]] {
    guard let widths = widths(columns) else { return list() }
    var lines: [[StyledSpan]] = []
    for (index, row) in rows.enumerated() {
      lines += drawn(row, widths)
      if index == 0 {
        let dashes = widths.map { String(repeating: "─", count: $0) }.joined(separator: "─┼─")
        lines.append([StyledSpan(dashes, base.union(.dim))])
      }
    }
    return lines
  }

  private func drawn(_ row: [Cell], _ widths: [Int]) -> [[StyledSpan]] {
    let cells = zip(row, widths).map { wrapped($0, $1) }
    return (0..<max(1, cells.map(\.count).max() ?? 1)).map { line in
      var spans: [StyledSpan] = []
      for (column, cell) in cells.enumerated() {
        if column > 0 { spans.append(StyledSpan(" │ ", base.union(.dim))) }
        let content = line < cell.count ? cell[line] : []
        let missing = max(0, widths[column] - width(content))
        let left =
          switch alignments[column] {
          case .left: 0
          case .center: missing / 2
          case .right: missing
          }
        if left > 0 { spans.append(StyledSpan(String(repeating: " ", count: left), base)) }
        spans += content
        if missing > left, column + 1 < cells.count {
          spans.append(StyledSpan(String(repeating: " ", count: missing - left), base))
        }
      }
      return spans
    }
  }

  private func width(_ spans: [StyledSpan]) -> Int {
    spans.reduce(0) { $0 + meter.columns($1.text) }
  }

  /// The columns' widths; nil where they cannot fit.
  private func widths(_ columns: Int) -> [Int]? {
    var widths = alignments.indices.map { column in
      max(1, rows.map { width($0[column]) }.max() ?? 1)
    }
    var excess = widths.reduce(0, +) + 3 * (widths.count - 1) - columns
    while excess > 0 {
      guard let widest = widths.indices.max(by: { widths[$0] < widths[$1] }),
        widths[widest] > Self.narrowest
      else { return nil }
      widths[widest] -= 1
      excess -= 1
    }
    return widths
  }

  /// A cell's rows: broken between words, and within those that are wider than the column.
  private func wrapped(_ cell: Cell, _ width: Int) -> [[StyledSpan]] {
    var rows: [[StyledSpan]] = [[]]
    var used = 0
    for word in Self.words(cell) {
      let columns = self.width(word)
      let isBlank = word.allSatisfy { $0.text == " " }
      if used + columns <= width {
        if !(isBlank && used == 0) {
          rows[rows.count - 1] += word
          used += columns
        }
        continue
      }
      if isBlank { continue }
      if used > 0 {
        rows.append([])
        used = 0
      }
      for span in word {
        for character in span.text {
          if used + meter.columns(character) > width {
            rows.append([])
            used = 0
          }
          rows[rows.count - 1].append(StyledSpan(String(character), span.style))
          used += meter.columns(character)
        }
      }
    }
    return rows
  }

  /// Words and the blanks between them.
  private static func words(_ cell: Cell) -> [[StyledSpan]] {
    var words: [[StyledSpan]] = []
    var isOpen = false
    for span in cell {
      for character in span.text {
        if character == " " {
          words.append([StyledSpan(" ", span.style)])
          isOpen = false
        } else if isOpen, let last = words[words.count - 1].indices.last {
          if words[words.count - 1][last].style == span.style {
            words[words.count - 1][last].text.append(character)
          } else {
            words[words.count - 1].append(StyledSpan(String(character), span.style))
          }
        } else {
          words.append([StyledSpan(String(character), span.style)])
          isOpen = true
        }
      }
    }
    return words
  }

  /// One line for each cell that has something, behind its column's title.
  private func list() -> [[StyledSpan]] {
    guard let titles = rows.first else { return [] }
    return rows.dropFirst().flatMap { row in
      zip(titles, row).enumerated().compactMap { column, pair in
        pair.1.isEmpty
          ? nil
          : [StyledSpan(column == 0 ? "• " : "  ", base)] + pair.0 + [StyledSpan(": ", base)]
            + pair.1
      }
    }
  }
}
