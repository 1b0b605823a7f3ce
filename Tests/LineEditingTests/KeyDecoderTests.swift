import LineEditing
import TestSupport
import Testing

@Suite struct `Keys` {
  private func keys(_ text: String) -> [Key] {
    var decoder = KeyDecoder()
    return decoder.feed(Array(text.utf8)) + decoder.flush()
  }

  @Test func `letters, control keys and sequences are told apart`() {
    #expect(keys("aä😀") == [.text("aä😀")])
    #expect(
      keys("a\rb\n\t\u{7F}\u{8}") == [
        .text("a"), .enter, .text("b"), .control("j"), .tab, .backspace, .backspace,
      ])
    #expect(
      keys("\u{1}\u{1A}\u{0}\u{1F}") == [
        .control("a"), .control("z"), .control(" "), .control("_"),
      ])
    #expect(keys("\u{1B}[A\u{1B}OB\u{1B}[C\u{1B}OD") == [.up, .down, .right, .left])
    #expect(
      keys("\u{1B}[H\u{1B}[F\u{1B}[1~\u{1B}[4~\u{1B}OH\u{1B}[8~") == [
        .home, .end, .home, .end, .home, .end,
      ])
    #expect(
      keys("\u{1B}[1;5C\u{1B}[1;3D\u{1B}[1;2C\u{1B}[3~\u{1B}[3;5~") == [
        .wordRight, .wordLeft, .right, .delete, .wordDelete,
      ])
    #expect(
      keys("\u{1B}b\u{1B}F\u{1B}\u{7F}\u{1B}\r\u{1B}ä") == [
        .alt("b"), .alt("f"), .altBackspace, .altEnter, .alt("ä"),
      ])
    #expect(
      keys("\u{1B}[13;2u\u{1B}[27;5;13~\u{1B}[99;5u\u{1B}[97u") == [
        .altEnter, .altEnter, .control("c"), .text("a"),
      ])
    #expect(keys("\u{1B}[12;34R") == [.cursorReport(row: 12, column: 34)])
  }

  @Test func `sequences that nobody knows leave nothing behind`() {
    #expect(keys("\u{1B}[99;1;2zx") == [.other, .text("x")])
    #expect(keys("\u{1B}[[Ax") == [.other, .text("x")])
    #expect(keys("\u{1B}[?1;2cx") == [.other, .text("x")])
    #expect(keys("\u{1B}[1\u{1B}[Ax") == [.other, .up, .text("x")])
    #expect(keys("\u{1B}OZx") == [.other, .text("x")])
  }

  @Test func `a lone Escape is a key after a pause only`() {
    var decoder = KeyDecoder()
    #expect(decoder.feed([0x1B]) == [])
    #expect(decoder.isWaiting)
    #expect(decoder.feed(Array("[A".utf8)) == [.up])
    #expect(!decoder.isWaiting)
    #expect(decoder.feed([0x1B]) == [])
    #expect(decoder.flush() == [.escape])
    #expect(decoder.flush() == [])
  }

  @Test func `a paste is one key, whatever it holds`() {
    let start = "\u{1B}[200~"
    let end = "\u{1B}[201~"
    #expect(keys("\(start)a\rb\r\nc\n\td\(end)x") == [.paste("a\nb\nc\n\td"), .text("x")])
    #expect(keys("\(start)\u{1B}[A\u{3}\u{1B}\(end)") == [.paste("[A")])
    #expect(keys("\(start)\(end)") == [.paste("")])
    #expect(keys("\(end)x") == [.other, .text("x")])
  }

  @Test func `bytes that are no character become a sign of it, and controls vanish`() {
    var decoder = KeyDecoder()
    #expect(decoder.feed([0xFF, 0x61]) == [.text("\u{FFFD}a")])
    #expect(decoder.feed([0xC2, 0x9B, 0x61]) == [.text("a")])
    #expect(decoder.feed([0xE2, 0x82]) == [])
    #expect(decoder.feed([0xAC]) == [.text("€")])
  }

  @Test(arguments: 0..<200)
  func `keys do not depend on how their bytes are cut`(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let pieces = [
      "a", "é", "😀", "👩‍💻", "\r", "\u{1B}[A", "\u{1B}OB", "\u{1B}[3;5~", "\u{1B}b", "\u{3}",
      "\u{1B}[200~x\ry\u{1B}[A é\u{1B}[201~", "\u{1B}[[A", "\u{7F}", "\u{1B}ä",
    ]
    let text = (0..<12).map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
    let bytes = Array(text.utf8)
    var whole = KeyDecoder()
    let expected = joined(whole.feed(bytes))
    var decoder = KeyDecoder()
    var found: [Key] = []
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = Int.random(in: 1...4, using: &generator)
      found += decoder.feed(rest.prefix(count))
      rest = rest.dropFirst(count)
    }
    #expect(joined(found) == expected, "seed \(seed)")
  }

  /// Texts in a row are one.
  private func joined(_ keys: [Key]) -> [Key] {
    keys.reduce(into: []) { result, key in
      if case .text(let more) = key, case .text(let text)? = result.last {
        result[result.count - 1] = .text(text + more)
      } else {
        result.append(key)
      }
    }
  }
}
