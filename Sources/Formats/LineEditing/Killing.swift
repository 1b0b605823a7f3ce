/// What was killed, newest last; kills in a row are one text.
struct KillRing: Sendable {
  private static let limit = 60

  private var texts: [[Character]] = []
  private var isOpen = false
  private var position = 0

  /// Takes text that was killed forwards or backwards from the cursor.
  mutating func add(_ text: ArraySlice<Character>, isForward: Bool) {
    guard !text.isEmpty else { return }
    if isOpen, let last = texts.popLast() {
      texts.append(isForward ? last + text : Array(text) + last)
    } else {
      texts.append(Array(text))
      if texts.count > Self.limit { texts.removeFirst() }
    }
    isOpen = true
    position = texts.count - 1
  }

  /// The next kill is a text of its own.
  mutating func close() { isOpen = false }

  var current: [Character]? { texts.indices.contains(position) ? texts[position] : nil }

  /// The text before the current one, around the ring.
  mutating func rotate() -> [Character]? {
    guard !texts.isEmpty else { return nil }
    position = (position + texts.count - 1) % texts.count
    return texts[position]
  }
}

/// Earlier states of the text, for undoing; letters in a row are one step.
struct UndoStack: Sendable {
  private static let limit = 200

  private var states: [(text: [Character], cursor: Int)] = []
  private var isTyping = false

  /// Keeps the state before a change.
  mutating func note(_ editor: LineEditor, isTyping: Bool) {
    if isTyping, self.isTyping { return }
    self.isTyping = isTyping
    states.append((editor.text, editor.cursor))
    if states.count > Self.limit { states.removeFirst() }
  }

  /// What is typed next is a step of its own.
  mutating func close() { isTyping = false }

  mutating func take() -> (text: [Character], cursor: Int)? {
    isTyping = false
    return states.popLast()
  }
}

extension LineEditor {
  static func isKill(_ key: Key) -> Bool {
    switch key {
    case .control("k"), .control("u"), .control("w"), .alt("d"), .altBackspace, .wordDelete: true
    default: false
    }
  }

  /// Kills and yanks.
  mutating func kill(_ key: Key) -> Outcome? {
    switch key {
    case .control("k"):
      let end = lineRange.upperBound
      // At the end of a line its break goes.
      return kill(cursor..<(end == cursor ? min(end + 1, text.count) : end), isForward: true)
    case .control("u"):
      let start = lineRange.lowerBound
      return kill((start == cursor ? max(0, start - 1) : start)..<cursor, isForward: false)
    case .control("w"): return kill(blankWordStart..<cursor, isForward: false)
    case .altBackspace: return kill(wordStart..<cursor, isForward: false)
    case .alt("d"), .wordDelete: return kill(cursor..<wordEnd, isForward: true)
    case .control("y"): return yank(kills.current)
    case .alt("y"):
      guard let yanked else { return .refused }
      remove(yanked)
      return yank(kills.rotate())
    default: return nil
    }
  }

  /// Where the word before the cursor begins, words being what blanks separate.
  private var blankWordStart: Int {
    var index = cursor
    while index > 0, text[index - 1].isWhitespace { index -= 1 }
    while index > 0, !text[index - 1].isWhitespace { index -= 1 }
    return index
  }

  private mutating func kill(_ range: Range<Int>, isForward: Bool) -> Outcome {
    guard !range.isEmpty else { return .refused }
    undo.note(self, isTyping: false)
    kills.add(text[range], isForward: isForward)
    remove(range)
    return .editing
  }

  private mutating func yank(_ killed: [Character]?) -> Outcome {
    guard let killed else { return .refused }
    let start = cursor
    insert(String(killed))
    yanked = min(start, cursor)..<cursor
    return .editing
  }
}
