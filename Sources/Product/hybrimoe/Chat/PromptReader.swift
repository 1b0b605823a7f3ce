import LineEditing
import TextColumns

/// Reads questions with the line editor: draws what is typed on standard error.
///
/// What is typed during an answer is kept for the next prompt.
final class PromptReader {
  private static let prompt = "> "
  private static let indent = "  "
  /// How long a lone Escape waits for the rest of a sequence.
  private static let escapeMilliseconds: Int32 = 40
  /// How long a signal at the wrong moment may stay unnoticed.
  private static let checkMilliseconds: Int32 = 200

  private var editor: LineEditor
  private var decoder = KeyDecoder()
  private var painter = ScreenPainter()
  private var keys: [Key] = []
  private var hasEnded = false
  private var size = TerminalInput.size
  private let historyFile: HistoryFile?
  private let usesStyle: Bool
  private let screen = OutputStream.standardError
  /// What Tab offers: candidates for the characters before the cursor, and how many they replace.
  private let complete: (String) -> (candidates: [String], count: Int)

  /// Takes the terminal over; `close` gives it back.
  ///
  /// - Parameter usesStyle: whether the prompt may stand out.
  init(
    history: HistoryFile?, usesStyle: Bool,
    complete: @escaping (String) -> (candidates: [String], count: Int)
  ) {
    historyFile = history
    self.usesStyle = usesStyle
    self.complete = complete
    editor = LineEditor(history: EditHistory(history?.entries() ?? []))
    TerminalMode.begin()
  }

  deinit { close() }

  func close() { TerminalMode.end() }

  /// How the terminal counts columns, as far as it has said so.
  var meter: ColumnMeter { editor.meter }

  /// Takes what has been typed by now, without waiting.
  func drain() {
    while !hasEnded, case .bytes(let bytes)? = try? TerminalInput.next(within: 0) {
      keys += decoder.feed(bytes)
    }
  }

  /// The next text, once Enter ends it.
  func next() throws -> LineReader.Line {
    TerminalMode.change(to: .keys)
    defer { TerminalMode.change(to: .quiet) }
    painter.forget()
    size = TerminalInput.size
    try askForRule()
    try draw()
    while true {
      if let key = keys.first {
        keys.removeFirst()
        if case .cursorReport(_, let column) = key { learnRule(column) }
        if Self.mayEnd(key) { lastRows = layout().rows }
        if let line = try react(to: editor.handle(key)) { return line }
        // A paste without marks comes as many keys; one drawing of them all is enough.
        if keys.isEmpty { try draw() }
        continue
      }
      guard !hasEnded else {
        try screen.write(painter.finish(layout().rows))
        return .end
      }
      try wait()
    }
  }

  /// Opens the user's own editor with a text; what is written there stands at the next prompt.
  ///
  /// - Throws: `CommandFailure` where it cannot be started or fails.
  func editExternally(_ text: String) throws {
    TerminalMode.end()
    defer { TerminalMode.begin() }
    editor.replace(with: try ExternalEditor.edit(text))
  }

  // MARK: Emoji of several scalars

  private static let question = "👩\u{200D}💻"
  private var hasAsked = false

  /// Shows an emoji of two others for no time and asks where the cursor is then; a terminal that
  /// understands the question answers as if with a key.
  private func askForRule() throws {
    guard !hasAsked else { return }
    hasAsked = true
    try screen.write("\r\(Self.question)\u{1B}[6n\r\u{1B}[K")
  }

  private func learnRule(_ column: Int) {
    for rule in [ColumnMeter.Rule.characters, .scalars] {
      let meter = ColumnMeter(rule)
      if column == meter.columns(Self.question) + 1 { editor.meter = meter }
    }
  }

  private func wait() throws {
    let patience = decoder.isWaiting ? Self.escapeMilliseconds : Self.checkMilliseconds
    switch try TerminalInput.next(within: patience) {
    case .bytes(let bytes): keys += decoder.feed(bytes)
    case .end: hasEnded = true
    case .nothing: if decoder.isWaiting { keys += decoder.flush() }
    }
    if Interrupts.take() { keys.append(.control("c")) }
    if TerminalMode.takeResumption() {
      painter.forget()
      try screen.write("\r\u{1B}[J")
      try draw()
    }
    if TerminalMode.takeResize() {
      let new = TerminalInput.size
      if new.columns != size.columns { try screen.write(painter.resize(columns: new.columns)) }
      size = new
      try draw()
    }
  }

  /// Does what the editor asks for; returns where the text is finished.
  private func react(to outcome: LineEditor.Outcome) throws -> LineReader.Line? {
    switch outcome {
    case .editing, .refused: return nil
    case .submitted(let text):
      try screen.write(painter.finish(lastRows))
      historyFile?.append(text)
      return .text(text)
    case .interrupted(let wasEmpty):
      try screen.write(painter.finish(lastRows))
      return wasEmpty
        ? .interrupted
        : try {
          try draw(); return nil
        }()
    case .endOfInput:
      try screen.write(painter.finish(lastRows))
      return .end
    case .clearScreen:
      painter.forget()
      try screen.write("\u{1B}[H\u{1B}[2J")
    case .suspend:
      try screen.write(painter.finish(layout().rows))
      TerminalMode.suspend()
      _ = TerminalMode.takeResumption()
    case .complete:
      let before = String(editor.text[..<editor.cursor])
      let (candidates, count) = complete(before)
      return try react(to: editor.apply(candidates, replacing: count))
    case .candidates(let candidates):
      try screen.write(painter.finish(layout().rows))
      let names = candidates.map { TerminalText.safe($0) }.joined(separator: "  ")
      try screen.write(TerminalText.wrapped(names, width: size.columns - 1))
    }
    return nil
  }

  // MARK: Drawing

  /// The rows as they were before a key emptied the editor.
  private var lastRows: [ScreenPainter.Row] = []

  /// Whether a key may empty the editor.
  private static func mayEnd(_ key: Key) -> Bool {
    [.enter, .control("c"), .control("d")].contains(key)
  }

  private func draw() throws {
    let shown = layout()
    try screen.write(
      painter.draw(
        shown.rows, cursorRow: shown.cursor.row, cursorColumn: shown.cursor.column,
        height: size.rows))
  }

  private func layout() -> (rows: [ScreenPainter.Row], cursor: (row: Int, column: Int)) {
    let prompt = editor.searchPrompt.map(shortened) ?? Self.prompt
    let width = editor.meter.columns(prompt)
    editor.columns = max(2, size.columns - 1 - width)
    let layout = EditorLayout(
      text: editor.text, cursor: editor.cursor, columns: editor.columns, meter: editor.meter)
    let rows = layout.rows.enumerated().map { index, row in
      let lead = index == 0 ? styled(prompt) : Self.indent
      return ScreenPainter.Row(
        lead + row.text, columns: row.columns + (index == 0 ? width : Self.indent.count))
    }
    let lead = layout.cursorRow == 0 ? width : Self.indent.count
    return (rows, (layout.cursorRow, layout.cursorColumn + lead))
  }

  private func styled(_ prompt: String) -> String {
    usesStyle ? "\u{1B}[1m\(prompt)\u{1B}[0m" : prompt
  }

  /// The end of a long search text, so that there is room for what it finds.
  private func shortened(_ prompt: String) -> String {
    String(prompt.suffix(max(4, size.columns / 2)))
  }
}
