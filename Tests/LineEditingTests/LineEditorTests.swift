import LineEditing
import Testing
import TextColumns

@Suite struct `Line editor` {
  /// The text with a bar at the cursor after some keys, which are spelled as a terminal sends them.
  private func edit(_ typed: String, _ editor: LineEditor = LineEditor()) -> String {
    var editor = editor
    var decoder = KeyDecoder()
    for key in decoder.feed(Array(typed.utf8)) + decoder.flush() { _ = editor.handle(key) }
    return String(editor.text[..<editor.cursor]) + "|" + String(editor.text[editor.cursor...])
  }

  private let up = "\u{1B}[A"
  private let down = "\u{1B}[B"
  private let left = "\u{1B}[D"
  private let right = "\u{1B}[C"

  @Test func `characters go in where the cursor is`() {
    #expect(edit("abc") == "abc|")
    #expect(edit("abc\(left)\(left)X") == "aX|bc")
    #expect(edit("abc\u{1}X\u{5}Y") == "XabcY|")
    #expect(edit("abc\u{2}\u{2}\u{6}X") == "abX|c")
    #expect(edit("abc\u{1B}[HX\u{1B}[FY") == "XabcY|")
    #expect(edit("a😀b\(left)\(left)X") == "aX|😀b")
  }

  @Test func `an accent joins the letter before it`() {
    #expect(edit("e\u{301}\(left)x") == "x|e\u{301}")
    #expect(edit("ab\(left)\u{301}c") == "a\u{301}c|b")
    #expect(edit("🇩🇪\u{7F}") == "|")
    #expect(edit("👩\u{200D}💻\(left)x") == "x|👩\u{200D}💻")
  }

  @Test func `characters are taken away before and at the cursor`() {
    #expect(edit("abc\u{7F}") == "ab|")
    #expect(edit("abc\(left)\u{4}") == "ab|")
    #expect(edit("abc\u{1}\u{1B}[3~") == "|bc")
    #expect(edit("\u{7F}a") == "a|")
    #expect(edit("日本\u{7F}") == "日|")
  }

  @Test func `words are moved over and killed`() {
    #expect(edit("one two-three\u{1B}bX") == "one two-X|three")
    #expect(edit("one two\u{1}\u{1B}fX") == "oneX| two")
    #expect(edit("one two\u{1B}[1;5D\u{1B}[1;5DX") == "X|one two")
    #expect(edit("one two-three\u{17}") == "one |")
    #expect(edit("one two-three\u{1B}\u{7F}") == "one two-|")
    #expect(edit("one two\u{1}\u{1B}d") == "| two")
    #expect(edit("one two\u{1}\u{1B}[3;5~") == "| two")
  }

  @Test func `what is killed can be yanked`() {
    #expect(edit("one two\u{17}\u{1}\u{19}") == "two|one ")
    #expect(edit("one two\u{17}\u{17}x\u{19}") == "xone two|")
    #expect(edit("ab cd\u{1}\u{1B}d\u{1B}d\u{19}\u{19}") == "ab cdab cd|")
    #expect(edit("abc\(left)\u{B}\u{15}\u{19}") == "abc|")
    #expect(edit("one\u{15}two\u{15}\u{19}\u{1B}y") == "one|")
    #expect(edit("one\u{15}two\u{15}\u{19}\u{1B}y\u{1B}y") == "two|")
    #expect(edit("\u{19}x\u{1B}y") == "x|")
  }

  @Test func `two characters change places`() {
    #expect(edit("ab\u{14}") == "ba|")
    #expect(edit("abc\(left)\u{14}") == "acb|")
    #expect(edit("a\u{14}") == "a|")
    #expect(edit("ab\u{1}\u{14}") == "|ab")
  }

  @Test func `changes are undone, letters in a row at once`() {
    #expect(edit("abc\u{17}\u{1F}") == "abc|")
    #expect(edit("abc\u{17}\u{1F}\u{1F}") == "|")
    #expect(edit("ab\(left)X\u{1F}") == "a|b")
    #expect(edit("\u{1F}a") == "a|")
  }

  @Test func `Alt-Enter, Ctrl-J and a backslash add a line`() {
    #expect(edit("a\u{1B}\rb") == "a\nb|")
    #expect(edit("a\nb") == "a\nb|")
    #expect(edit("a\\\rb") == "a\nb|")
    #expect(edit("a\nbc\u{1}X\u{5}Y") == "a\nXbcY|")
    #expect(edit("a\nbc\(up)X") == "aX|\nbc")
    #expect(edit("ab\nc\(up)\(up)") == "a|b\nc")
    #expect(edit("abc\nd\nefg\(up)\(up)X") == "abcX|\nd\nefg")
    #expect(edit("ab\ncd\u{15}\u{15}") == "ab|")
    #expect(edit("ab\ncd\(up)\u{B}") == "ab|cd")
  }

  @Test func `Enter submits, and two backslashes are meant`() {
    var editor = LineEditor()
    #expect(editor.handle(.text("a\\\\")) == .editing)
    #expect(editor.handle(.enter) == .submitted("a\\\\"))
    #expect(editor.string.isEmpty)
    #expect(editor.handle(.paste("one\ntwo\\")) == .editing)
    #expect(editor.handle(.enter) == .editing)
    #expect(editor.handle(.text("three")) == .editing)
    #expect(editor.handle(.enter) == .submitted("one\ntwo\nthree"))
    #expect(editor.handle(.enter) == .submitted(""))
  }

  @Test func `control keys ask their owner`() {
    var editor = LineEditor()
    #expect(editor.handle(.control("d")) == .endOfInput)
    #expect(editor.handle(.control("c")) == .interrupted(wasEmpty: true))
    _ = editor.handle(.text("ab"))
    #expect(editor.handle(.control("d")) == .refused)
    #expect(editor.handle(.control("l")) == .clearScreen)
    #expect(editor.handle(.control("z")) == .suspend)
    #expect(editor.handle(.tab) == .complete)
    #expect(editor.string == "ab")
    #expect(editor.handle(.control("c")) == .interrupted(wasEmpty: false))
    #expect(editor.string.isEmpty)
  }

  @Test func `the history is walked, and drafts stay`() {
    let editor = LineEditor(history: EditHistory(["one", "two\nlines"]))
    #expect(edit("draft\(up)", editor) == "two\nlines|")
    #expect(edit("draft\(up)\(up)\(up)", editor) == "one|")
    #expect(edit("draft\u{10}\u{10}\u{10}\u{E}", editor) == "two\nlines|")
    #expect(edit("draft\u{10}\u{10}\u{10}\u{E}\u{E}", editor) == "draft|")
    #expect(edit("draft\(up)\(down)", editor) == "draft|")
    #expect(edit("\(up)X\u{10}\u{10}\(down)", editor) == "two\nlinesX|")
    #expect(edit("new\r\(up)", editor) == "new|")
    #expect(edit("one\r\(up)X\r\(up)\(up)", editor) == "one|")
    #expect(edit("  \r\(up)", editor) == "two\nlines|")
  }

  @Test func `Ctrl-R searches backwards, Ctrl-S forwards, Ctrl-G gives up`() {
    let editor = LineEditor(history: EditHistory(["make tea", "make coffee", "drink"]))
    #expect(edit("\u{12}make", editor) == "|make coffee")
    #expect(edit("\u{12}make\u{12}", editor) == "|make tea")
    #expect(edit("\u{12}make\u{12}\u{12}", editor) == "|make tea")
    #expect(edit("\u{12}make\u{12}\u{13}", editor) == "|make coffee")
    #expect(edit("\u{12}tea\u{5}!", editor) == "make tea!|")
    #expect(edit("x\u{12}tea\u{7}", editor) == "x|")
    #expect(edit("\u{12}teapot\u{7F}\u{7F}\u{7F}\u{1B}", editor) == "make |tea")
    #expect(edit("\u{12}tea\u{5}\(down)", editor) == "make coffee|")
    var asking = editor
    _ = asking.handle(.control("r"))
    _ = asking.handle(.text("cof"))
    #expect(asking.searchPrompt == "(search) cof: ")
    _ = asking.handle(.text("x"))
    #expect(asking.searchPrompt == "(nothing found) cofx: ")
    _ = asking.handle(.backspace)
    #expect(asking.handle(.enter) == .submitted("make coffee"))
    #expect(asking.searchPrompt == nil)
  }

  @Test func `a completion puts in what is certain and then shows the rest`() {
    var editor = LineEditor()
    _ = editor.handle(.text("/s"))
    let names = ["/save", "/stats", "/system"]
    #expect(editor.handle(.tab) == .complete)
    #expect(editor.apply(names, replacing: 2) == .refused)
    #expect(editor.handle(.tab) == .complete)
    #expect(editor.apply(names, replacing: 2) == .candidates(names))
    _ = editor.handle(.text("y"))
    #expect(editor.apply(["/system"], replacing: 3) == .editing)
    #expect(editor.string == "/system")
    #expect(editor.apply([], replacing: 3) == .refused)
  }

  @Test func `the history keeps a bounded number, and none twice in a row`() {
    var history = EditHistory(["a", "b", "c"], limit: 2)
    #expect(history.entries == ["b", "c"])
    history.add("c")
    history.add("d")
    #expect(history.entries == ["c", "d"])
  }
}
