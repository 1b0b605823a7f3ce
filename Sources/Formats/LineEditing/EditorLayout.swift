import TextColumns

/// How a text lies on rows of a screen, and where the cursor is.
///
/// A row is broken where it is full, not between words, so that what is typed never jumps.
public struct EditorLayout: Sendable, Equatable {
  public struct Row: Sendable, Equatable {
    /// The characters' indices, the line break at the end not counted.
    public var range: Range<Int>
    /// What to show: tabs as blanks, characters without a shape left out.
    public var text: String
    public var columns: Int
  }

  public private(set) var rows: [Row] = []
  public private(set) var cursorRow = 0
  public private(set) var cursorColumn = 0

  /// Blanks that stand for a tab.
  static let tab = "    "

  /// - Parameter columns: of each row, at least 2.
  public init(text: [Character], cursor: Int, columns: Int, meter: ColumnMeter = .init()) {
    let columns = max(2, columns)
    var row = Row(range: 0..<0, text: "", columns: 0)
    var start = 0
    for (index, character) in text.enumerated() {
      let shown = Self.shown(character)
      let width = meter.columns(shown)
      if character != "\n", row.columns + width > columns {
        close(&row, start: start, end: index)
        start = index
      }
      if index == cursor { (cursorRow, cursorColumn) = (rows.count, row.columns) }
      if character == "\n" {
        close(&row, start: start, end: index)
        start = index + 1
      } else {
        row.text += shown
        row.columns += width
      }
    }
    if cursor >= text.count { (cursorRow, cursorColumn) = (rows.count, row.columns) }
    close(&row, start: start, end: text.count)
  }

  private mutating func close(_ row: inout Row, start: Int, end: Int) {
    row.range = start..<end
    rows.append(row)
    row = Row(range: end..<end, text: "", columns: 0)
  }

  /// What a character looks like.
  private static func shown(_ character: Character) -> String {
    if character == "\t" { return tab }
    if character == "\n" { return "" }
    // Marks that turn the direction of writing would turn the prompt and the rest of the row.
    let isTurning = { (scalar: Unicode.Scalar) in
      (0x202A...0x202E).contains(scalar.value) || (0x2066...0x2069).contains(scalar.value)
        || scalar.properties.generalCategory == .control
    }
    guard character.unicodeScalars.contains(where: isTurning) else { return String(character) }
    return String(String.UnicodeScalarView(character.unicodeScalars.filter { !isTurning($0) }))
  }

  /// The character of a row that is nearest to a column.
  func index(row: Int, column: Int, in text: [Character], meter: ColumnMeter) -> Int {
    var reached = 0
    for index in rows[row].range {
      let width = meter.columns(Self.shown(text[index]))
      if reached + width > column { return index }
      reached += width
    }
    let end = rows[row].range.upperBound
    // Behind the last character of a row that goes on, the cursor would be on the next row.
    let goesOn = end < text.count && text[end] != "\n"
    return goesOn ? max(rows[row].range.lowerBound, end - 1) : end
  }
}
