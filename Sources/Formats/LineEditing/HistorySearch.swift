/// A search in the history that is under way (Ctrl-R).
struct HistorySearch: Sendable {
  var query = ""
  /// The entry that is shown; nil before the first hit.
  var found: Int?
  var hasFailed = false
  /// What was there before, for Ctrl-G.
  let text: [Character]
  let cursor: Int
}

extension LineEditor {
  /// What stands before the text while a search goes on; nil otherwise.
  public var searchPrompt: String? {
    search.map { "(\($0.hasFailed ? "nothing found" : "search")) \($0.query): " }
  }

  mutating func beginSearch() { search = HistorySearch(text: text, cursor: cursor) }

  /// Keys of the search; nil for those that end it and then do what they always do.
  mutating func handleInSearch(_ key: Key) -> Outcome? {
    guard var current = search else { return nil }
    switch key {
    case .text(let typed), .paste(let typed):
      current.query += typed.prefix { $0 != "\n" }
      return find(current, from: current.found ?? history.entries.count - 1, isForward: false)
    case .backspace:
      guard !current.query.isEmpty else { return .refused }
      current.query.removeLast()
      current.found = nil
      return find(current, from: history.entries.count - 1, isForward: false)
    case .control("r"):
      return find(
        current, from: (current.found ?? history.entries.count) - 1, isForward: false)
    case .control("s"):
      return find(current, from: (current.found ?? history.entries.count) + 1, isForward: true)
    case .control("g"), .control("c"):
      text = current.text
      cursor = current.cursor
      search = nil
      return .editing
    case .escape:
      accept(current)
      return .editing
    case .cursorReport, .other: return .editing
    default:
      accept(current)
      return nil
    }
  }

  private mutating func find(
    _ attempt: HistorySearch, from index: Int, isForward: Bool
  ) -> Outcome {
    var attempt = attempt
    defer { search = attempt }
    if attempt.query.isEmpty {
      attempt.hasFailed = false
      text = attempt.text
      cursor = attempt.cursor
      return .editing
    }
    guard let found = history.find(attempt.query, from: index, isForward: isForward) else {
      attempt.hasFailed = true
      return .refused
    }
    attempt.hasFailed = false
    attempt.found = found
    let entry = history.entries[found]
    text = Array(entry)
    let start = entry.firstRange(of: attempt.query)?.lowerBound ?? entry.startIndex
    cursor = min(entry.distance(from: entry.startIndex, to: start), text.count)
    return .editing
  }

  /// Ends the search with what it found.
  private mutating func accept(_ current: HistorySearch) {
    search = nil
    undo = UndoStack()
    if let found = current.found { history.jump(to: found, from: String(current.text)) }
  }
}
