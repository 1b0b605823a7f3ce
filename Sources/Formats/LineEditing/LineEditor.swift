import TextColumns

/// The text that a person is typing: keys go in, and what they ask for comes out.
///
/// A pure value that knows no terminal. The keys are those of Emacs, as in GNU Readline; the text may
/// have several lines.
public struct LineEditor: Sendable {
  /// What a key asks of the owner of the editor; the text on the screen is to be drawn anew anyway.
  public enum Outcome: Sendable, Equatable {
    case editing
    /// The text is finished; the editor is empty again.
    case submitted(String)
    /// Ctrl-C: what was typed is dropped.
    case interrupted(wasEmpty: Bool)
    /// Ctrl-D on an empty line.
    case endOfInput
    case clearScreen
    /// Ctrl-Z.
    case suspend
    /// Tab: the owner answers with `apply`.
    case complete
    /// Candidates of a completion, to be shown.
    case candidates([String])
    /// The key can do nothing here.
    case refused
  }

  /// The characters; line breaks are `\n`.
  public internal(set) var text: [Character] = []
  /// The index of the character that the cursor is on.
  public internal(set) var cursor = 0
  public var history: EditHistory
  /// Columns of a row on the screen, which up and down go by.
  public var columns: Int
  public var meter: ColumnMeter

  var kills = KillRing()
  /// What Alt-Y replaces: the text that the last key yanked.
  var yanked: Range<Int>?
  /// Where up and down want to go.
  var wantedColumn: Int?
  var search: HistorySearch?
  var undo = UndoStack()
  private var hasCompletedBefore = false

  public init(history: EditHistory = EditHistory(), columns: Int = 78, meter: ColumnMeter = .init())
  {
    self.history = history
    self.columns = columns
    self.meter = meter
  }

  public var string: String { String(text) }

  /// Replaces the whole text, as an external editor does.
  public mutating func replace(with string: String) {
    undo.note(self, isTyping: false)
    text = Array(string)
    cursor = text.count
  }

  /// Does what a key says.
  public mutating func handle(_ key: Key) -> Outcome {
    if search != nil, let outcome = handleInSearch(key) { return outcome }
    let hadColumn = wantedColumn
    wantedColumn = nil
    if key != .tab { hasCompletedBefore = false }
    let outcome: Outcome
    switch key {
    case .up, .control("p"):
      wantedColumn = hadColumn
      outcome = moveUp()
    case .down, .control("n"):
      wantedColumn = hadColumn
      outcome = moveDown()
    default: outcome = edit(key) ?? kill(key) ?? move(key) ?? command(key)
    }
    if !Self.isKill(key) { kills.close() }
    if key != .control("y"), key != .alt("y") { yanked = nil }
    return outcome
  }

  // MARK: Changing the text

  private mutating func edit(_ key: Key) -> Outcome? {
    switch key {
    case .text(let typed): insert(typed, isTyping: true)
    case .paste(let pasted): insert(pasted)
    case .altEnter, .control("j"): insert("\n")
    case .backspace:
      guard cursor > 0 else { return .refused }
      undo.note(self, isTyping: true)
      remove(cursor - 1..<cursor)
    case .delete:
      guard cursor < text.count else { return .refused }
      undo.note(self, isTyping: true)
      remove(cursor..<cursor + 1)
    case .control("d"):
      if text.isEmpty { return .endOfInput }
      return edit(.delete)
    case .control("t"): return transpose()
    case .control("_"):
      guard let earlier = undo.take() else { return .refused }
      text = earlier.text
      cursor = earlier.cursor
    default: return nil
    }
    return .editing
  }

  mutating func insert(_ string: String, isTyping: Bool = false) {
    guard !string.isEmpty else { return }
    undo.note(self, isTyping: isTyping)
    // What is typed may become one character with its neighbours: an accent, the half of a flag.
    let start = max(0, cursor - 1)
    let end = min(text.count, cursor + 1)
    let before = String(text[start..<cursor]) + string
    let whole = Array(before + String(text[cursor..<end]))
    let countBefore = min(Array(before).count, whole.count)
    text.replaceSubrange(start..<end, with: whole)
    cursor = start + countBefore
  }

  mutating func remove(_ range: Range<Int>) {
    text.removeSubrange(range)
    cursor = range.lowerBound
  }

  /// Exchanges the two characters before the end of a line, elsewhere those beside the cursor.
  private mutating func transpose() -> Outcome {
    let line = lineRange
    guard line.count >= 2, cursor > line.lowerBound else { return .refused }
    undo.note(self, isTyping: false)
    let second = cursor == line.upperBound ? cursor - 1 : cursor
    text.swapAt(second - 1, second)
    cursor = second + 1
    return .editing
  }

  // MARK: Commands

  private mutating func command(_ key: Key) -> Outcome {
    switch key {
    case .enter: return submit()
    case .control("c"):
      defer { clear() }
      return .interrupted(wasEmpty: text.isEmpty)
    case .control("l"): return .clearScreen
    case .control("z"): return .suspend
    case .tab: return .complete
    case .control("r"):
      beginSearch()
      return .editing
    case .cursorReport: return .editing
    default: return .refused
    }
  }

  /// Ends the text, unless a backslash at its end asks for another line. Two of them are one that
  /// is meant.
  private mutating func submit() -> Outcome {
    let backslashes = text.reversed().prefix { $0 == "\\" }.count
    if backslashes % 2 == 1 {
      undo.note(self, isTyping: false)
      text[text.count - 1] = "\n"
      cursor = text.count
      return .editing
    }
    let result = string
    history.add(result)
    clear()
    return .submitted(result)
  }

  mutating func clear() {
    text = []
    cursor = 0
    search = nil
    undo = UndoStack()
    history.leave()
  }

  // MARK: Completion

  /// Puts in what all candidates have in common; a second Tab shows those that are left.
  ///
  /// - Parameters:
  ///   - candidates: what could stand in place of the characters before the cursor, whole.
  ///   - count: how many characters before the cursor they replace.
  public mutating func apply(_ candidates: [String], replacing count: Int) -> Outcome {
    guard let first = candidates.first, count <= cursor else { return .refused }
    let common = candidates.dropFirst().reduce(Array(first)) { common, candidate in
      Array(zip(common, candidate).prefix { $0 == $1 }.map(\.0))
    }
    let range = cursor - count..<cursor
    if common.count > count || (candidates.count == 1 && common != Array(text[range])) {
      undo.note(self, isTyping: false)
      text.replaceSubrange(range, with: common)
      cursor = range.lowerBound + common.count
      return .editing
    }
    guard candidates.count > 1 else { return .refused }
    defer { hasCompletedBefore = true }
    return hasCompletedBefore ? .candidates(candidates) : .refused
  }
}
