import OrderedJSON
import Testing

@testable import hybrimoe

@Suite struct `Terminal text` {
  @Test func `numbers are rounded as people read them`() {
    #expect(HumanUnits.bytes(0) == "0 B")
    #expect(HumanUnits.bytes(999) == "999 B")
    #expect(HumanUnits.bytes(1000) == "1.00 kB")
    #expect(HumanUnits.bytes(9_999) == "10.0 kB")
    #expect(HumanUnits.bytes(99_960) == "100 kB")
    #expect(HumanUnits.bytes(999_600) == "1.00 MB")
    #expect(HumanUnits.bytes(10_364_000_000) == "10.4 GB")
    #expect(HumanUnits.bytes(Int.max) == "9.22 EB")
    #expect(HumanUnits.count(512) == "512")
    #expect(HumanUnits.count(15_700_000_000) == "15.7 B")
    #expect(HumanUnits.fixed(-0.04, 1) == "0.0")
    #expect(HumanUnits.fixed(-1.25, 1) == "-1.3")
    #expect(HumanUnits.fixed(2.005, 0) == "2")
    #expect(HumanUnits.fixed(.nan, 2) == "nan")
    #expect(HumanUnits.fixed(9.6e14, 4) == "960000000000000.0")
    #expect(HumanUnits.fixed(-.infinity, 4) == "-inf")
  }

  @Test func `progress tells percent and remaining time`() {
    func text(_ fraction: Double, _ seconds: Int) -> String {
      ProgressLine.text("Loading", fraction: fraction, elapsed: .seconds(seconds))
    }
    #expect(text(0, 5) == "Loading: 0 %")
    #expect(text(0.25, 4) == "Loading: 25 %, 12 s left")
    #expect(text(0.5, 200) == "Loading: 50 %, 3 min 20 s left")
    #expect(text(0.01, 100) == "Loading: 1 %, 2 h 45 min left")
    #expect(text(2, 4) == "Loading: 100 %, 0 s left")
    #expect(text(.nan, 4) == "Loading: 0 %")
  }

  @Test func `JSON escapes what it must and keeps the order of keys`() {
    let value = JSONValue.object([
      ("z", .string("a\"\\\n\r\t\u{1}\u{7F}é😀")), ("a", .array([.null, .bool(true)])),
      ("f", .float(0.1)), ("d", .double(1e300)), ("n", .float(.nan)), ("i", .integer(-3)),
      ("u", .unsigned(.max)), ("e", .object([])),
    ])
    #expect(
      value.text
        == #"{"z":"a\"\\\n\r\t\u0001\u007fé😀","a":[null,true],"f":0.1,"d":1e+300,"n":null,"i":-3,"#
        + #""u":18446744073709551615,"e":{}}"#)
  }

  @Test func `tables are aligned, also with wide characters`() {
    var table = TextTable([("name", .left), ("n", .right)])
    table.add("日本", "5")
    table.add("a", "1234")
    table.add("only")
    #expect(table.text == "name     n\n日本     5\na     1234\nonly\n")
  }

  @Test func `text from files cannot steer the terminal`() {
    #expect(TerminalText.safe("a\u{1B}[31m\nb\u{202E}é") == "a\\u{1B}[31m\\nb\\u{202E}é")
  }

  @Test func `keys that a terminal does not handle leave no trace in a typed line`() {
    #expect(TerminalText.typed("a\u{1B}[A\u{1B}[1;5Cb\u{1B}OA\u{1B}[3~ [A\tü") == "ab [A\tü")
    #expect(TerminalText.typed("\u{1B}[200~x\u{1B}[201~\u{1}\u{7F}") == "x")
    #expect(TerminalText.typed("a\u{1B}") == "a")
    #expect(TerminalText.typed("a\u{1B}[") == "a")
    #expect(TerminalText.typed("a\u{1B}[1;é") == "aé")
  }

  @Test func `long text from files is cut`() {
    #expect(TerminalText.safe("abcdef", width: 6) == "abcdef")
    #expect(TerminalText.safe("abcdefg", width: 6) == "abcde…")
    #expect(TerminalText.safe("\n\n\n\n", width: 6) == "\\n\\n\\…")
    #expect(TerminalText.safe("", width: 6) == "")
  }

  @Test func `messages are plain, or one JSON object on a line`() {
    #expect(Console().text(.warning, "careful") == "Warning: careful\n")
    #expect(Console().text(.info, "hello") == "hello\n")
    #expect(
      Console(isJSON: true).text(.error, "a \"b\"")
        == "{\"level\":\"error\",\"message\":\"a \\\"b\\\"\"}\n")
    #expect(Console(usesColor: true).text(.error, "x").hasPrefix("\u{1B}[31mError: "))
    #expect(
      Console(usesColor: true).text(.info, "x", color: "\u{1B}[2m") == "\u{1B}[2mx\u{1B}[0m\n")
  }

  @Test func `no message brings an escape sequence to the terminal`() {
    let message = "a\u{1B}]0;b\u{7}\n\tc\u{9B}2J\rd\u{202E}"
    #expect(
      Console(usesColor: true).text(.info, message)
        == "a\\u{1B}]0;b\\u{7}\n\tc\\u{9B}2J\\rd\\u{202E}\n")
  }

  @Test func `lists of tokens are read in all their spellings`() {
    for text in ["8,56,166", "8 56\n166 ", "[8, 56, 166]", "{\"tokens\": [8,56,166]}"] {
      #expect(TokenList.parse(text) == [8, 56, 166], "\(text)")
    }
    #expect(TokenList.parse("") == [])
    #expect(TokenList.parse("-1") == [-1])
    #expect(TokenList.parse("[ ]") == [])
    for text in ["1;2", "1,,2", ",1", "1,", "[1,]", ",", "1, ,2"] {
      #expect(TokenList.parse(text) == nil, "\(text)")
    }
    #expect(TokenList.parse("99999999999999999999") == nil)
    #expect(TokenList.parse("{\"tokens\": 3}") == nil)
  }

  @Test func `prose is wrapped between words, and numbers keep their units`() {
    let text = TerminalText.wrapped(
      "one two three four five six seven eight 12 %, nine", width: 41, indent: 2)
    #expect(text == "one two three four five six seven eight\n  12 %, nine\n")
    #expect(TerminalText.wrapped("a\n\nb") == "a\n\nb\n")
    let long = String(repeating: "x", count: 99)
    #expect(TerminalText.wrapped("a \(long) b", width: 40) == "a\n\(long)\nb\n")
  }

  @Test func `a sentence within another one ends without a full stop`() {
    #expect(TerminalText.withoutFullStop("Cannot read 'a'.") == "Cannot read 'a'")
    #expect(TerminalText.withoutFullStop("cut") == "cut")
  }

  @Test func `one thing is counted in the singular`() {
    #expect(HumanUnits.counted(1, "layer") == "1 layer")
    #expect(HumanUnits.counted(0, "layer") == "0 layers")
  }
}
