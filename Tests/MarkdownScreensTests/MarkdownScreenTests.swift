import MarkdownScreens
import TestSupport
import Testing

@Suite struct `Markdown on a screen` {
  /// What stands on the screen.
  private func screen(
    _ text: String, columns: Int = 40, usesStyle: Bool = true
  ) -> TerminalScreen {
    var markdown = MarkdownScreen(columns: columns, usesStyle: usesStyle)
    var screen = TerminalScreen(columns: columns)
    screen.write(markdown.feed(text))
    screen.write(markdown.finish())
    #expect(screen.unknown.isEmpty)
    return screen
  }

  private func rows(_ text: String, columns: Int = 40) -> [String] {
    screen(text, columns: columns).rows
  }

  @Test func `words are wrapped, and lines stay lines`() {
    #expect(rows("one two three four five", columns: 20) == ["one two three four", "five"])
    #expect(rows("a\nb\n\nc") == ["a", "b", "", "c"])
    #expect(rows("\n\n a\n\n\n") == [" a"])
    #expect(rows("exactly nineteen ch and", columns: 20) == ["exactly nineteen ch", "and"])
    let address = "https://example.com/a/very/long/address"
    #expect(rows("see \(address)", columns: 20).joined() == "see" + address)
    #expect(rows("日本語の文章は、途中で改行できます。", columns: 20).count == 2)
  }

  @Test func `emphasis, code and links become styles`() {
    let shown = screen("**bold** *it* __b2__ _i2_ `code` ~~gone~~ ***both***")
    #expect(shown.rows == ["bold it b2 i2 code gone both"])
    #expect(shown.text(styled: "1") == "boldb2both")
    #expect(shown.text(styled: "3") == "iti2both")
    #expect(shown.text(styled: "35") == "code")
    #expect(shown.text(styled: "9") == "gone")
    let link = screen("[here](http://a.b) and [http://c](http://c)")
    #expect(link.rows == ["here (http://a.b) and http://c"])
    #expect(link.text(styled: "4") == "herehttp://c")
    #expect(screen("**a *b* c**").text(styled: "1") == "a b c")
    #expect(screen("**a *b* c**").text(styled: "3") == "b")
    #expect(screen("***a** b*").rows == ["***a** b*"])
  }

  @Test(arguments: [
    "2 * 3 * 4", "a ** b", "snake_case_name", "*args and kwargs", "**kwargs", "5 ~ 6",
    "a[1] = b[2]",
    "[x] (y)", "C:\\dir\\n", "\\(x\\) \\[y\\]", "`open", "``a`", "a*", "!important", "[a](b",
    "f(*a, **b)", "1.5 is", "#tag", "-5", "+1", "~/file", "<br>", "a****b", "_", "a_", "* *",
  ])
  func `what is no mark stays as it is`(text: String) {
    #expect(rows(text) == [text == "* *" ? "• *" : text])
  }

  @Test func `escapes show what they protect`() {
    #expect(rows("\\*no\\* \\`x\\` a\\_b \\# 1\\.") == ["*no* `x` a_b # 1."])
    #expect(rows("\\# no title") == ["# no title"])
    #expect(rows("``a`b``") == ["a`b"])
  }

  @Test func `titles, rules and quotes`() {
    let title = screen("# One\n## Two `x`\n---\n> said *he*\n> > deep")
    #expect(
      title.rows == [
        "One", "Two x", String(repeating: "─", count: 39), "│ said he", "│ │ deep",
      ])
    #expect(title.text(styled: "4") == "One")
    #expect(title.text(styled: "1") == "OneTwo x")
    #expect(rows("> one two three four", columns: 20) == ["│ one two three", "│ four"])
  }

  @Test func `lists hang`() {
    #expect(
      rows(
        "- one two three four five\n  - six seven eight nine\n10. ten eleven twelve", columns: 20)
        == [
          "• one two three", "  four five", "  • six seven eight", "    nine",
          "10. ten eleven", "    twelve",
        ])
    #expect(
      rows("* [ ] open\n* [x] done\n+ [link](u)\n- ") == ["☐ open", "☑ done", "• link (u)", "•"])
  }

  @Test func `code is not touched`() {
    let line = "  x = *p  # **no** " + String(repeating: "y", count: 50)
    let shown = screen("```swift\n\(line)\n\n~~~\n```\nafter", columns: 40)
    #expect(shown.rows.first == "── swift " + String(repeating: "─", count: 26))
    #expect(shown.rows[1] + shown.rows[2] == line)
    #expect(
      Array(shown.rows.dropFirst(3)) == [
        "", "~~~", "──" + String(repeating: "─", count: 33), "after",
      ])
    #expect(shown.text(styled: "1").isEmpty)
    #expect(rows("- a\n  ```\n    b\n  ```\n").dropFirst().dropLast().last == "    b")
    #expect(rows("````\n```\n````").dropFirst().first == "```")
    #expect(rows("```x``` y") == ["x y"])
    #expect(rows("> ```\n> a\n> ```\nb").last == "b")
  }

  @Test func `tables have aligned columns`() {
    let shown = screen("| a | **num** |\n|:--|--:|\n| x `y` | 1 |\n| 日本語 | 1000 |\n\nend")
    #expect(
      shown.rows == [
        "a      │  num", "───────┼─────", "x y    │    1", "日本語 │ 1000", "", "end",
      ])
    #expect(shown.text(styled: "1") == "anum")
    #expect(rows("| a |\nno table") == ["| a |", "no table"])
    #expect(
      rows("| a | b |\n|---|---|\n| c\\|d | `e|f` | g |") == ["a   │ b", "────┼────", "c|d │ e|f"])
  }

  @Test func `wide tables become narrow, or lists`() {
    let table = "| one | two |\n|---|---|\n| aaa bbb ccc | ddd eee fff ggg |"
    #expect(
      rows(table, columns: 21) == [
        "one      │ two", "─────────┼──────────", "aaa bbb  │ ddd eee", "ccc      │ fff ggg",
      ])
    let many = "|a|b|c|d|e|f|\n|-|-|-|-|-|-|\n|11111|22222|33333|44444||66666|"
    #expect(
      rows(many, columns: 21) == [
        "• a: 11111", "  b: 22222", "  c: 33333", "  d: 44444", "  f: 66666",
      ])
  }

  @Test func `without styles marks stay, and lists and tables are laid out`() {
    let shown = screen(
      "# T\n- **one** two three\n```c\nx\n```\n|a|b|\n|-|-|\n|`c`|d|", columns: 20,
      usesStyle: false)
    #expect(
      shown.rows == [
        "# T", "• **one** two three", "```c", "x", "```", "a   │ b", "────┼──", "`c` │ d",
      ])
    #expect(shown.cells.joined().allSatisfy { $0.style.isEmpty })
  }

  @Test func `nothing of a text steers the terminal`() {
    let text = "a\u{1B}[31mb\u{9B}2J\u{7}\u{8}c\r\nd\u{202E}e `\u{1B}]0;x\u{7}`\n```\n\u{1B}c\n```"
    let shown = screen(text)
    #expect(shown.rows.prefix(2) == ["a[31mb2Jc", "de ]0;x"])
  }

  @Test func `text flows: a word is shown as soon as the next one begins`() {
    var markdown = MarkdownScreen(columns: 40, usesStyle: true)
    #expect(markdown.feed("Hello") == "")
    #expect(markdown.feed(" wor") == "Hello")
    #expect(markdown.feed("ld. **Bo") == " world.")
    #expect(markdown.feed("ld** x") == " \u{1B}[1mBold\u{1B}[0m")
    #expect(markdown.feed("\n") == " x")
    #expect(markdown.feed("```\ncode").hasSuffix("cod"))
    #expect(markdown.finish() == "e")
  }

  private static let pieces = [
    "word", " ", " ", "\n", "\n", "*", "**", "_", "`", "``", "```", "~~", "~~~", "[a](b)", "[",
    "](",
    ")", "# ", "- ", "1. ", "> ", "|", "| a | b |\n|---|:-:|\n", "---", "\\", "é", "e\u{301}", "日本",
    "👩\u{200D}💻", "\u{1B}[31m", "\r\n", "\t", "    ", "!", "- [x] ", "```c\n", ".", "===", "🇩🇪",
  ]

  @Test(arguments: 0..<400)
  func `the screen does not depend on how the text is cut`(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let count = Int.random(in: 1...60, using: &generator)
    let text = (0..<count).map { _ in Self.pieces.randomElement(using: &generator) ?? "" }.joined()
    let usesStyle = seed % 4 != 0
    let columns = Int.random(in: 20...50, using: &generator)
    let whole = screen(text, columns: columns, usesStyle: usesStyle)
    var markdown = MarkdownScreen(columns: columns, usesStyle: usesStyle)
    var cut = TerminalScreen(columns: columns)
    var rest = text.unicodeScalars[...]
    while !rest.isEmpty {
      let length = Int.random(in: 1...5, using: &generator)
      cut.write(markdown.feed(String(rest.prefix(length))))
      rest = rest.dropFirst(length)
    }
    cut.write(markdown.finish())
    #expect(cut.cells == whole.cells, "seed \(seed): \(text.debugDescription)")
  }

  @Test(arguments: ["*", "`", "[", "~", "- ", "|", ">", "#", "```", " ", "**a ", "[a](", "\n"])
  func `a mark a thousand times is bounded work`(mark: String) {
    let text = String(repeating: mark, count: 1200)
    var markdown = MarkdownScreen(columns: 80, usesStyle: true)
    var screen = TerminalScreen(columns: 80, height: 10_000)
    var rest = text[...]
    while !rest.isEmpty {
      screen.write(markdown.feed(String(rest.prefix(11))))
      rest = rest.dropFirst(11)
    }
    screen.write(markdown.finish())
    // Nothing but the marks that mean something is left out.
    let meansNothing = ["*", "[", "#", "**a ", "[a]("].contains(mark)
    let shown = screen.rows.joined().filter { $0 != " " }
    #expect(!meansNothing || shown == text.filter { $0 != " " })
  }
}
