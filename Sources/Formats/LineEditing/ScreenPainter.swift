/// Brings rows to a terminal, from where its cursor was when the first ones were drawn.
///
/// Only rows that changed are written. Rows must leave the terminal's last column free: what a
/// terminal does behind it differs. Where there are more rows than the screen has, those around the
/// cursor are shown.
public struct ScreenPainter: Sendable {
  public struct Row: Sendable, Equatable {
    /// What is written, with its styles.
    public var text: String
    public var columns: Int

    public init(_ text: String, columns: Int) {
      self.text = text
      self.columns = columns
    }
  }

  /// What stands on the screen, and the row and column of the terminal's cursor in it.
  private var shown: [Row] = []
  private var row = 0
  private var column = 0
  /// The first of all rows that is on the screen.
  private(set) var top = 0

  public init() {}

  /// The text to write so that the screen shows rows and its cursor.
  ///
  /// - Parameter height: rows of the screen.
  public mutating func draw(
    _ rows: [Row], cursorRow: Int, cursorColumn: Int, height: Int
  ) -> String {
    let limit = max(1, height - 1)
    top = min(top, max(0, rows.count - limit))
    if cursorRow < top { top = cursorRow }
    if cursorRow >= top + limit { top = cursorRow - limit + 1 }
    let visible = Array(rows[top..<min(rows.count, top + limit)])
    var output = ""
    for (index, new) in visible.enumerated() where index >= shown.count || shown[index] != new {
      output += move(to: index) + new.text + Self.eraseRight
      column = new.columns
    }
    if shown.count > visible.count {
      output += move(to: visible.count) + Self.eraseBelow
    }
    shown = visible
    let target = cursorRow - top
    if row != target || column != cursorColumn {
      output += move(to: target) + Self.right(cursorColumn)
      column = cursorColumn
    }
    return output
  }

  /// Shows all rows, also where they are more than the screen has, and goes to the line below.
  public mutating func finish(_ rows: [Row]) -> String {
    var output = ""
    if top > 0 || rows.count > shown.count {
      output += move(to: 0) + Self.eraseBelow
      output += rows.map { $0.text + Self.eraseRight }.joined(separator: "\r\n")
    } else {
      output = draw(rows, cursorRow: rows.count - 1, cursorColumn: 0, height: Int.max)
    }
    forget()
    return output + "\r\n"
  }

  /// The screen was cleared or something else was written: the next rows begin where the cursor is.
  public mutating func forget() { self = ScreenPainter() }

  /// The terminal has another width, and has broken longer rows anew: takes away what was shown.
  public mutating func resize(columns: Int) -> String {
    let columns = max(1, columns)
    // Rows that the broken ones take above the cursor's.
    let above = shown.prefix(row).reduce(0) { $0 + max(1, ($1.columns + columns - 1) / columns) }
    let output = Self.up(above + column / columns) + "\r" + Self.eraseBelow
    forget()
    return output
  }

  /// Goes to the beginning of a row, which may be the one below the last.
  private mutating func move(to target: Int) -> String {
    defer {
      row = target
      column = 0
    }
    let last = max(0, shown.count - 1, row)
    if target <= row { return Self.up(row - target) + "\r" }
    let existing = min(target, last) - row
    return (existing > 0 ? "\u{1B}[\(existing)B" : "") + "\r"
      + String(repeating: "\n", count: target - row - existing)
  }

  private static let eraseRight = "\u{1B}[K"
  private static let eraseBelow = "\u{1B}[J"
  private static func up(_ count: Int) -> String { count > 0 ? "\u{1B}[\(count)A" : "" }
  private static func right(_ count: Int) -> String { count > 0 ? "\u{1B}[\(count)C" : "" }
}
