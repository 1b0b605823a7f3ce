import OrderedJSON
import TestSupport
import Testing

/// What the parser says about a text.
func outcome(_ bytes: [UInt8]) -> String {
  do { return "accepted: " + (try JSONValue(parsing: bytes)).text } catch { return "\(error)" }
}

@Suite struct `A text that is no JSON document` {
  static let invalid: [(String, String)] = [
    ("", "line 1, column 1: expected a value, found the end"),
    (" \n ", "line 2, column 2: expected a value, found the end"),
    ("[1,]", "line 1, column 4: there is nothing between ',' and ']'"),
    ("[,1]", "line 1, column 2: expected a value, found ','"),
    ("[1 2]", "line 1, column 4: expected ',' or ']', found '2'"),
    ("[1,\n\n  x]", "line 3, column 3: expected a value, found 'x'"),
    ("[1", "line 1, column 3: expected ',' or ']', found the end"),
    ("[1}", "line 1, column 3: expected ',' or ']', found '}'"),
    ("]", "line 1, column 1: expected a value, found ']'"),
    ("{\"a\":1,}", "line 1, column 8: there is nothing between ',' and '}'"),
    ("{\"a\" 1}", "line 1, column 6: expected ':' after the key, found '1'"),
    ("{\"a\":}", "line 1, column 6: expected a value, found '}'"),
    ("{a:1}", "line 1, column 2: expected a key in double quotes, found 'a'"),
    ("{'a':1}", "line 1, column 2: expected a key in double quotes, found '''"),
    ("{1:1}", "line 1, column 2: expected a key in double quotes, found '1'"),
    ("{\"a\":1 \"b\":2}", "line 1, column 8: expected ',' or '}', found a string"),
    ("{\"a\":1,\"a\":2}", "line 1, column 12: the key \"a\" stands here twice"),
    ("1 2", "line 1, column 3: expected nothing more after the value, found '2'"),
    ("{} x", "line 1, column 4: expected nothing more after the value, found 'x'"),
    ("nul", "line 1, column 1: expected null, found 'nul'"),
    ("nulls", "line 1, column 1: expected null, found 'nulls'"),
    ("True", "line 1, column 1: expected a value, found 'True'"),
    ("tru", "line 1, column 1: expected true, found 'tru'"),
    ("NaN", "line 1, column 1: expected a value, found 'NaN'"),
    ("Infinity", "line 1, column 1: expected a value, found 'Infinity'"),
    ("-Infinity", "line 1, column 2: expected a digit after '-', found 'Infinity'"),
    ("-", "line 1, column 2: expected a digit after '-', found the end"),
    ("+1", "line 1, column 1: expected a value, found '+'"),
    ("01", "line 1, column 1: a number must not begin with a 0 before another digit"),
    ("-012", "line 1, column 1: a number must not begin with a 0 before another digit"),
    (".5", "line 1, column 1: expected a value, found '.'"),
    ("1.", "line 1, column 3: expected a digit after '.', found the end"),
    ("1.e2", "line 1, column 3: expected a digit after '.', found 'e2'"),
    ("1e", "line 1, column 3: expected a digit in the exponent, found the end"),
    ("1e+", "line 1, column 4: expected a digit in the exponent, found the end"),
    ("0x10", "line 1, column 2: expected nothing more after the value, found 'x10'"),
    ("1e309", "line 1, column 1: this number is too large for a Double (beyond 1.8e308)"),
    (
      "[-1e99999999999999999999]",
      "line 1, column 2: this number is too large for a Double (beyond 1.8e308)"
    ),
    ("\"a", "line 1, column 1: this string has no closing quote"),
    ("\"a\\\"", "line 1, column 1: this string has no closing quote"),
    ("\"a\\", "line 1, column 1: this string has no closing quote"),
    (
      "\"a\nb\"",
      "line 1, column 3: this string has no closing quote on its line; a line break in it is \\n"
    ),
    ("\"a\tb\"", "line 1, column 3: a control character in a string must be written as an escape"),
    ("\"é\\x\"", "line 1, column 3: a backslash must be followed by one of \" \\ / b f n r t u"),
    ("\"\\u12g4\"", "line 1, column 2: \\u must be followed by four hexadecimal digits"),
    ("\"\\u12", "line 1, column 2: \\u must be followed by four hexadecimal digits"),
    ("\"\\ud800\"", "line 1, column 2: this half of a surrogate pair stands alone"),
    ("\"\\udc00\"", "line 1, column 2: this half of a surrogate pair stands alone"),
    ("\"\\ud800\\u0041\"", "line 1, column 2: this half of a surrogate pair stands alone"),
    ("\"\\ud800x\"", "line 1, column 2: this half of a surrogate pair stands alone"),
    ("\u{FEFF}{}", "line 1, column 1: expected a value, found a byte order mark"),
    ("// a\n1", "line 1, column 1: expected a value, found '/'"),
    ("\u{0}", "line 1, column 1: expected a value, found the byte 0x00"),
    ("\u{A0}1", "line 1, column 1: expected a value, found the byte 0xC2"),
  ]

  @Test(arguments: invalid)
  func `is refused with its place and what was expected`(text: String, message: String) {
    #expect(outcome(Array(text.utf8)) == message)
  }

  @Test(
    arguments: [
      ([0x22, 0x61, 0xFF, 0x22], 3), ([0x22, 0xC3, 0x22], 2), ([0x22, 0xC0, 0x80, 0x22], 2),
      ([0x22, 0xED, 0xA0, 0x80, 0x22], 2), ([0x22, 0xC3, 0xA9, 0x80, 0x22], 3),
      ([0x22, 0x5C, 0x6E, 0xF5, 0x22], 4), ([0x22, 0xF4, 0x90, 0x80, 0x80, 0x22], 2),
    ] as [([UInt8], Int)])
  func `is refused at the byte that is not UTF-8`(bytes: [UInt8], column: Int) {
    #expect(outcome(bytes) == "line 1, column \(column): this byte is not UTF-8")
  }

  @Test func `may be nested to the limit and no deeper`() {
    func nested(_ depth: Int, _ open: String, _ close: String) -> [UInt8] {
      Array(
        (String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)).utf8)
    }
    let limit = JSONScanner.maximumDepth
    #expect(outcome(nested(limit, "[", "]")).hasPrefix("accepted"))
    #expect(outcome(nested(limit, "{\"a\":", "}")).hasPrefix("accepted"))
    #expect(outcome(nested(limit + 1, "[", "]")).hasSuffix("nested deeper than 256 levels"))
    #expect(outcome(nested(1_000_000, "{\"a\":", "")).hasSuffix("nested deeper than 256 levels"))
    // Many containers beside each other are not deep.
    let wide = "[" + String(repeating: "[[]],", count: 1000) + "{}]"
    #expect(outcome(Array(wide.utf8)).hasPrefix("accepted"))
  }

  @Test func `a key that stands twice is found in small and large objects`() {
    for count in [1, 15, 16, 17, 40] {
      let members = (0..<count).map { "\"k\($0)\":0" }.joined(separator: ",")
      #expect(outcome(Array("{\(members)}".utf8)).hasPrefix("accepted"))
      for key in [0, count / 2, count - 1] {
        #expect(
          outcome(Array("{\(members),\"k\(key)\":0}".utf8)).hasSuffix(
            "the key \"k\(key)\" stands here twice"), "\(count) keys")
      }
    }
  }

  /// A mutation may give a valid document; then it must be one that reads back to itself.
  @Test(arguments: 0..<20) func `changed at random never stops the program`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let seeds = [
      #"{"a":[1,-2.5e-3,"x\u00e9\ud83d\ude00",{"b":null,"c":[true,false]}],"d":1e300}"#,
      #"[[0.1234567890123456789,12345678901234567890,-0],{"":{"":[]}},"é😀\n"]"#,
    ]
    let interesting = Array("[]{}:,\"\\u-+.eE0159 \ntfn".utf8) + [0, 0x80, 0xC3, 0xED, 0xFF]
    for _ in 0..<300 {
      var bytes = Array(seeds.randomElement(using: &random)!.utf8)
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes[place] = interesting.randomElement(using: &random)!
        case 1: bytes.insert(interesting.randomElement(using: &random)!, at: place)
        case 2: bytes.remove(at: place)
        default: bytes.removeSubrange(place..<bytes.count)
        }
        if bytes.isEmpty { bytes = [0x5B] }
      }
      guard let value = try? JSONValue(parsing: bytes) else { continue }
      #expect((try? JSONValue(parsing: value.text))?.text == value.text, "seed \(seed): \(bytes)")
    }
  }
}
