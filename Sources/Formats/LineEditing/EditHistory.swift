/// What was entered before, oldest first, and where in it the editor is.
///
/// An entry that was changed but not entered stays changed until something is entered, as in Readline.
public struct EditHistory: Sendable {
  public private(set) var entries: [String]
  private let limit: Int
  /// The entry that is shown; `entries.count` is the new line.
  private var position: Int
  private var drafts: [Int: String] = [:]

  /// - Parameter limit: most entries that are kept.
  public init(_ entries: [String] = [], limit: Int = 1000) {
    self.entries = entries.suffix(limit)
    self.limit = limit
    position = self.entries.count
  }

  /// Adds what was entered, unless it is blank or the same again.
  public mutating func add(_ entry: String) {
    if entry != entries.last, entry.contains(where: { !$0.isWhitespace }) {
      entries.append(entry)
      if entries.count > limit { entries.removeFirst() }
    }
    leave()
  }

  /// Goes back to the new line.
  mutating func leave() {
    drafts = [:]
    position = entries.count
  }

  mutating func older(than shown: String) -> String? { go(to: position - 1, from: shown) }

  mutating func newer(than shown: String) -> String? { go(to: position + 1, from: shown) }

  private mutating func go(to target: Int, from shown: String) -> String? {
    guard (0...entries.count).contains(target) else { return nil }
    drafts[position] = shown
    position = target
    return drafts[target] ?? (target < entries.count ? entries[target] : "")
  }

  /// Shows an entry that a search found.
  mutating func jump(to index: Int, from shown: String) {
    drafts[position] = shown
    position = index
  }

  /// The nearest entry with some text, from an index on.
  func find(_ query: String, from index: Int, isForward: Bool) -> Int? {
    guard !query.isEmpty else { return nil }
    if isForward {
      guard index < entries.count else { return nil }
      return entries[max(0, index)...].firstIndex { $0.contains(query) }
    }
    guard index >= 0 else { return nil }
    return entries[..<min(index + 1, entries.count)].lastIndex { $0.contains(query) }
  }
}
