import TestSupport
import Testing
import YAMLSubset

/// A document as one line: plain scalars bare, quoted ones in quotes.
private func line(_ node: YAMLNode) -> String {
  switch node.value {
  case .scalar(let scalar): scalar.isPlain ? scalar.text : "\"\(scalar.text)\""
  case .sequence(let elements): "[" + elements.map(line).joined(separator: "|") + "]"
  case .mapping(let members):
    "{"
      + members.map { "\($0.key.text)=\(line($0.value))" }.joined(separator: "|") + "}"
  }
}

@Suite struct `YAML as people write it` {
  static let documents: [(text: String, meaning: String)] = [
    ("", ""), ("# nothing\n", ""), ("word", "word"), ("--- \n- a\n...\n", "[a]"),
    ("- a\n- 'b'\n-\n- \"c\\td\"", "[a|\"b\"||\"c\td\"]"),
    ("a: 1\nb:\n  c: 2\n  d:\nc: ~", "{a=1|b={c=2|d=}|c=~}"),
    ("a:\n- 1\n- 2\nb:\n  - 3", "{a=[1|2]|b=[3]}"),
    ("- match:\n    name: x\n  recursive: False", "[{match={name=x}|recursive=False}]"),
    ("- - a\n  - b\n- - c", "[[a|b]|[c]]"), ("-   a: 1\n    b: 2", "[{a=1|b=2}]"),
    ("a: [1, 'x, y', [], {b: c, d}]", "{a=[1|\"x, y\"|[]|{b=c|d=}]}"),
    ("a: [\n  1, # one\n  2,\n]\n", "{a=[1|2]}"), ("{\"a\":1, b: 2}", "{a=1|b=2}"),
    ("a: b c  # comment\nd: e#f", "{a=b c|d=e#f}"), ("a: it's \"so\"", "{a=it's \"so\"}"),
    ("a: 'it''s'", "{a=\"it's\"}"), ("url: http://x:80/y", "{url=http://x:80/y}"),
    ("a: -1\nb: -c", "{a=-1|b=-c}"), ("\"a b\": c", "{a b=c}"),
    ("a: \"\\x41\\u00e9\\U0001F600\\\\.\"", "{a=\"Aé😀\\.\"}"),
    ("a:\r\n  b: 1\r\nc: 2\r", "{a={b=1}|c=2}"), ("\u{FEFF}a: 1", "{a=1}"),
    ("a: #x\n  b: 1", "{a={b=1}}"), ("a: '#x'", "{a=\"#x\"}"), ("a: [b#c, d:e]", "{a=[b#c|d:e]}"),
    (
      "name: \"^model\\\\.layers\\\\.(0|[1-7])\\\\.mlp$\"  # why",
      "{name=\"^model\\.layers\\.(0|[1-7])\\.mlp$\"}"
    ),
    ("map:\n  30: \"cuda:1\"", "{map={30=\"cuda:1\"}}"), ("- # c\n  a: 1\n-\n  - 2", "[{a=1}|[2]]"),
  ]

  @Test(arguments: documents)
  func `a document means what YAML says`(_ document: (text: String, meaning: String)) throws {
    #expect(line(try YAMLNode(parsing: document.text)) == document.meaning)
  }

  static let refused: [(text: String, line: Int, word: String)] = [
    ("a: 1\n---\nb: 2", 2, "second document"), ("%YAML 1.1\n---\na", 1, "directive"),
    ("a: &x 1", 1, "anchor"), ("a: *x", 1, "alias"), ("a: !!str 1", 1, "tag"),
    ("a: |\n  b", 1, "block scalar"), ("a: >-\n  b", 1, "block scalar"),
    ("a: b\n  c", 2, "wrong indentation"), ("a: \"b\n  c\"", 1, "several lines"),
    ("- a: 'b\n", 1, "several lines"), ("? a\n: b", 1, "explicit key"), ("<<: x", 1, "merge key"),
    ("{a: 1}: b", 1, "as a key"), ("a:\tb", 1, "tab"), ("a:\n\tb: 1", 2, "tab"),
    ("a: 1\nb: 2\na: 3", 3, "twice"), ("a: 1\n b: 2", 2, "wrong indentation"),
    ("a: b: c", 1, "second ':'"), ("a: - b", 1, "sequence"), ("a: [1, 2", 1, "not closed"),
    ("a: [1 2\n3]", 2, "several lines"), ("a: \"\\.\"", 1, "no meaning"), ("a: \"x", 1, "quote"),
    ("a: 'x' y", 1, "follow"), ("- a\nb: 1", 2, "wrong indentation"), ("a: @x", 1, "quote it"),
    ("a: \"\\uD800\"", 1, "no character"), ("a: \u{1}", 1, "U+1"),
    ("a:\n  b: 1\n c: 2", 3, "wrong"),
    ("[a: b]", 1, "braces"), ("a\nb: 1", 2, "wrong indentation"), ("a: ,", 1, "quote it"),
    ("a: 1\nb", 2, "':' is missing"), ("a: [b]c", 1, "follow"),
    ("a: [b?c]", 1, "quoted"), ("a: [:b]", 1, "empty key"), ("a: [?b]", 1, "explicit key"),
  ]

  @Test(arguments: refused)
  func `what cannot be read is refused with its line`(
    _ document: (text: String, line: Int, word: String)
  ) throws {
    let error = try #require(throws: YAMLError.self) { try YAMLNode(parsing: document.text) }
    #expect(error.line == document.line, "\(error)")
    #expect(error.description.contains(document.word), "\(error)")
  }

  @Test func `values know their lines`() throws {
    let node = try YAMLNode(parsing: "# c\n- match:\n    name: x\n\n- match:\n    class: y\n")
    #expect(node.sequence?.map(\.line) == [2, 5])
    #expect(node.sequence?[1]["match"]?["class"]?.line == 6)
    #expect(node.sequence?[1]["match"]?.mapping?.first?.line == 6)
  }

  @Test func `truth values are those of YAML 1.1, and only without quotes`() {
    let words: [(String, Bool?)] = [
      ("True", true), ("false", false), ("YES", true), ("off", false), ("tRUE", nil), ("y", nil),
      ("1", nil), ("", nil),
    ]
    for (word, value) in words { #expect(YAMLScalar(word, isPlain: true).bool == value) }
    #expect(YAMLScalar("True", isPlain: false).bool == nil)
  }

  @Test func `nesting without end is refused and not followed`() {
    for opening in ["[", "{a: ", "- ", "{"] {
      let text = String(repeating: opening, count: 100_000)
      #expect(throws: YAMLError.self) { try YAMLNode(parsing: text) }
    }
    let steps = (0..<200).map { String(repeating: " ", count: $0) + "a:\n" }.joined()
    #expect(throws: YAMLError.self) { try YAMLNode(parsing: steps) }
  }

  @Test func `damaged documents are read or refused, never a trap`() {
    let seed: UInt64 = 20_250_211
    var random = SeededGenerator(seed: seed)
    let marks = Array("-:#'\"[]{},&*!|>%@`?\\ \n\t\r~ax1".unicodeScalars)
    for _ in 0..<4000 {
      let base = Self.documents.randomElement(using: &random)?.text ?? ""
      var scalars = Array((base + base).unicodeScalars)
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        let place = Int.random(in: 0...scalars.count, using: &random)
        if Bool.random(using: &random), place < scalars.count {
          scalars.remove(at: place)
        } else if let mark = marks.randomElement(using: &random) {
          scalars.insert(mark, at: place)
        }
      }
      var text = String.UnicodeScalarView()
      text.append(contentsOf: scalars)
      _ = try? YAMLNode(parsing: String(text))
    }
  }
}
