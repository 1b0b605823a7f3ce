// Moving the cursor: by characters, words, lines, and rows of the screen.
extension LineEditor {
  /// The line that the cursor is in, without its line break.
  var lineRange: Range<Int> {
    let start = text[..<cursor].lastIndex(of: "\n").map { $0 + 1 } ?? 0
    let end = text[cursor...].firstIndex(of: "\n") ?? text.count
    return start..<end
  }

  mutating func move(_ key: Key) -> Outcome? {
    let target: Int
    switch key {
    case .left, .control("b"): target = cursor - 1
    case .right, .control("f"): target = cursor + 1
    case .home, .control("a"): target = lineRange.lowerBound
    case .end, .control("e"): target = lineRange.upperBound
    case .wordLeft, .alt("b"): target = wordStart
    case .wordRight, .alt("f"): target = wordEnd
    case .alt("<"), .pageUp: target = 0
    case .alt(">"), .pageDown: target = text.count
    default: return nil
    }
    guard (0...text.count).contains(target) else { return .refused }
    cursor = target
    undo.close()
    return .editing
  }

  /// Where the word before the cursor begins. A word is letters and digits.
  var wordStart: Int {
    var index = cursor
    while index > 0, !Self.isOfWord(text[index - 1]) { index -= 1 }
    while index > 0, Self.isOfWord(text[index - 1]) { index -= 1 }
    return index
  }

  /// Where the word at or behind the cursor ends.
  var wordEnd: Int {
    var index = cursor
    while index < text.count, !Self.isOfWord(text[index]) { index += 1 }
    while index < text.count, Self.isOfWord(text[index]) { index += 1 }
    return index
  }

  private static func isOfWord(_ character: Character) -> Bool {
    character.isLetter || character.isNumber
  }

  // MARK: Rows and history

  /// One row up; from the first one to the history.
  mutating func moveUp() -> Outcome {
    if moveRow(by: -1) { return .editing }
    guard let earlier = history.older(than: string) else { return .refused }
    show(earlier)
    return .editing
  }

  mutating func moveDown() -> Outcome {
    if moveRow(by: 1) { return .editing }
    guard let later = history.newer(than: string) else { return .refused }
    show(later)
    return .editing
  }

  mutating func show(_ string: String) {
    text = Array(string)
    cursor = text.count
    wantedColumn = nil
    undo = UndoStack()
  }

  private mutating func moveRow(by step: Int) -> Bool {
    let layout = EditorLayout(text: text, cursor: cursor, columns: columns, meter: meter)
    let target = layout.cursorRow + step
    guard layout.rows.indices.contains(target) else { return false }
    let column = wantedColumn ?? layout.cursorColumn
    wantedColumn = column
    cursor = layout.index(row: target, column: column, in: text, meter: meter)
    return true
  }
}
