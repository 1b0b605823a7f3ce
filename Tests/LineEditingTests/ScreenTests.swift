import TestSupport
import Testing
import TextColumns

@testable import LineEditing

@Suite struct `Columns` {
  @Test func `wide, combining and joined characters take their columns`() {
    let meter = ColumnMeter()
    #expect(meter.columns("abc") == 3)
    #expect(meter.columns("é") == 1 && meter.columns("e\u{301}") == 1)
    #expect(meter.columns("日本") == 4)
    #expect(meter.columns("한") == 2 && meter.columns("\u{1112}\u{1161}\u{11AB}") == 2)
    #expect(meter.columns("😀") == 2 && meter.columns("👩\u{200D}💻") == 2)
    #expect(meter.columns("🇩🇪") == 2 && meter.columns("❤\u{FE0F}") == 2)
    #expect(meter.columns("👍🏽") == 2 && meter.columns("1\u{FE0F}\u{20E3}") == 2)
    #expect(meter.columns("\u{200B}\u{7}") == 0)
    let scalars = ColumnMeter(.scalars)
    #expect(scalars.columns("👩\u{200D}💻") == 4 && scalars.columns("👍🏽") == 4)
    #expect(scalars.columns("🇩🇪") == 2 && scalars.columns("❤\u{FE0F}") == 1)
  }
}

@Suite struct `Editor screen` {
  private static let prompt = "> "

  /// What an owner draws: the text behind a prompt on a terminal.
  private func rows(_ editor: LineEditor, columns: Int) -> ([ScreenPainter.Row], Int, Int) {
    let layout = EditorLayout(
      text: editor.text, cursor: editor.cursor, columns: columns - 3, meter: editor.meter)
    let rows = layout.rows.enumerated().map {
      ScreenPainter.Row(($0 == 0 ? "> " : "  ") + $1.text, columns: $1.columns + 2)
    }
    return (rows, layout.cursorRow, layout.cursorColumn + 2)
  }

  @Test func `long lines are broken, and the cursor stands where it belongs`() {
    var layout = EditorLayout(text: Array("abcdef"), cursor: 6, columns: 3)
    #expect(layout.rows.map(\.text) == ["abc", "def"])
    #expect((layout.cursorRow, layout.cursorColumn) == (1, 3))
    layout = EditorLayout(text: Array("abcdef"), cursor: 3, columns: 3)
    #expect((layout.cursorRow, layout.cursorColumn) == (1, 0))
    layout = EditorLayout(text: Array("ab日本"), cursor: 3, columns: 3)
    #expect(layout.rows.map(\.text) == ["ab", "日", "本"])
    #expect((layout.cursorRow, layout.cursorColumn) == (2, 0))
    layout = EditorLayout(text: Array("a\n\nb\n"), cursor: 5, columns: 9)
    #expect(layout.rows.map(\.text) == ["a", "", "b", ""])
    #expect((layout.cursorRow, layout.cursorColumn) == (3, 0))
    layout = EditorLayout(text: [], cursor: 0, columns: 9)
    #expect(layout.rows.map(\.text) == [""])
    layout = EditorLayout(text: Array("a\tb\u{202E}c"), cursor: 0, columns: 9)
    #expect(layout.rows.map(\.text) == ["a    bc"])
  }

  @Test(arguments: 0..<60)
  func `only what changed is written, and the screen shows all of it`(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let columns = Int.random(in: 6...30, using: &generator)
    let height = Int.random(in: 3...12, using: &generator)
    let keys: [Key] = [
      .text("a"), .text("bc d"), .text("日本"), .text("e\u{301}"), .text("👩\u{200D}💻"), .left,
      .right, .up, .down, .home, .end, .backspace, .delete, .altEnter, .control("w"),
      .control("y"), .control("u"), .control("t"), .paste("x\ny z\n"), .wordLeft, .control("_"),
    ]
    var editor = LineEditor(columns: columns - 3)
    var painter = ScreenPainter()
    var screen = TerminalScreen(columns: columns, height: height)
    screen.write("before\r\n")
    for _ in 0..<80 {
      _ = editor.handle(keys.randomElement(using: &generator) ?? .left)
      let (rows, row, column) = rows(editor, columns: columns)
      let output = painter.draw(rows, cursorRow: row, cursorColumn: column, height: height)
      screen.write(output)
      let expected = rows[painter.top..<min(rows.count, painter.top + height - 1)].map(\.text)
      let first = screen.row - (row - painter.top)
      let shown = screen.cells[first...].map { row in
        String(row.filter { $0.character != "\0" }.map(\.character))
      }
      let blank = [String](repeating: "", count: max(0, shown.count - expected.count))
      #expect(shown.map(trimmed) == expected.map(trimmed) + blank, "seed \(seed)")
      #expect(screen.column == column)
    }
    #expect(screen.unknown.isEmpty)
    let (all, _, _) = rows(editor, columns: columns)
    screen.write(painter.finish(all) + "after")
    let end = screen.rows.suffix(all.count + 1).map(trimmed)
    #expect(end == all.map { trimmed($0.text) } + ["after"])
    #expect(screen.rows.first == "before")
  }

  private func trimmed(_ text: String) -> String {
    var text = text
    while text.last == " " { text.removeLast() }
    return text
  }

  @Test func `a key that changes nothing writes nothing`() {
    var editor = LineEditor()
    var painter = ScreenPainter()
    _ = editor.handle(.text("one\ntwo\nthree"))
    let (rows, row, column) = rows(editor, columns: 40)
    _ = painter.draw(rows, cursorRow: row, cursorColumn: column, height: 20)
    let again = painter.draw(rows, cursorRow: row, cursorColumn: column, height: 20)
    #expect(again == "")
  }

  @Test func `a narrower terminal breaks rows, and all of them are taken away`() {
    var painter = ScreenPainter()
    let row = ScreenPainter.Row("> " + String(repeating: "x", count: 30), columns: 32)
    let second = ScreenPainter.Row("  yy", columns: 4)
    _ = painter.draw([row, second], cursorRow: 1, cursorColumn: 4, height: 20)
    // The first row takes four rows of ten columns; the cursor is in the fifth.
    #expect(painter.resize(columns: 10) == "\u{1B}[4A\r\u{1B}[J")
  }
}
