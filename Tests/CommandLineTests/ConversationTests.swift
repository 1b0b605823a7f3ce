import Foundation
import OrderedJSON
import TestSupport
import Testing

@testable import hybrimoe

@Suite struct `Kept conversations` {
  private static let records: [ConversationRecord] = [
    .beginning(model: "a \"model\"", time: "2025-08-05 09:30:05"), .system("Be\nbrief."),
    .question("Ünï\n\"?\" 😀"), .reasoning("Hm"), .reasoning("m."), .answer("Hello"),
    .answer(" 日本"), .end(reason: "endOfText"), .question("And?"), .answer("No"), .retry,
    .answer("Yes\u{1B}[31m"), .end(reason: "cancelled"), .question("Oops"), .undo,
    .model("another"), .question("Last"), .answer("cut he"),
  ]

  /// What records say, applied one after the other.
  private func conversation(_ records: some Sequence<ConversationRecord>) -> SavedConversation {
    var saved = SavedConversation()
    for record in records { saved.apply(record) }
    return saved
  }

  private func read(_ bytes: some Sequence<UInt8>) throws -> SavedConversation {
    var saved = try SavedConversation(Array(bytes), name: "test")
    saved.byteCount = 0
    return saved
  }

  @Test func `the records tell the conversation`() throws {
    let saved = try read(Self.records.map(\.line).joined().utf8)
    #expect(saved == conversation(Self.records))
    #expect(saved.model == "another" && saved.system == "Be\nbrief.")
    #expect(saved.turns.map(\.question) == ["Ünï\n\"?\" 😀", "And?", "Last"])
    #expect(saved.turns.map(\.answer) == ["Hello 日本", "Yes\u{1B}[31m", "cut he"])
    #expect(saved.turns.map(\.reasoning) == ["Hmm.", "", ""])
    #expect(saved.turns.map(\.end) == ["endOfText", "cancelled", nil])
    #expect(saved.unanswered == nil)
    #expect(try read(saved.text.utf8) == saved)
  }

  @Test func `whatever byte a crash cuts the file at, all whole records are there`() throws {
    let lines = Self.records.map { Array($0.line.utf8) }
    let bytes = lines.flatMap { $0 }
    for count in 0...bytes.count {
      var whole = 0
      var length = 0
      while whole < lines.count, length + lines[whole].count <= count {
        length += lines[whole].count
        whole += 1
      }
      // A record is whole without its line break.
      let isWhole = whole < lines.count && length + lines[whole].count == count + 1
      let expected = conversation(Self.records.prefix(isWhole ? whole + 1 : whole))
      guard whole + (isWhole ? 1 : 0) > 0 else {
        #expect(throws: CommandFailure.self) { try read(bytes.prefix(count)) }
        continue
      }
      let saved = try SavedConversation(Array(bytes.prefix(count)), name: "test")
      #expect(saved.byteCount == length)
      #expect(try read(bytes.prefix(count)) == expected, "\(count) bytes")
    }
  }

  @Test func `a damaged line is told by its number, and nothing is guessed`() throws {
    let text = Self.records.map(\.line).joined()
    func message(_ text: String) -> String {
      do { return "\(try read(text.utf8))" } catch { return "\(error)" }
    }
    #expect(
      message(text.replacing("\"answer\":\"Hello\"", with: "\"answer\":5")).contains("line 6"))
    #expect(message(text.replacing("{\"retry\"", with: "\u{0}{\"retry\"")).contains("line 11"))
    #expect(message("hello\nworld\n").contains("line 1"))
    #expect(message("").contains("no conversation"))
    #expect(message("{\"question\":\"x\"}\n").contains("no conversation"))
    let newer = text.replacing("Conversation\":1", with: "Conversation\":2")
    #expect(message(newer).contains("another version"))
  }

  @Test func `a conversation grows in its file and is taken up where it ended`() throws {
    let folder = try TemporaryFolder()
    let chats = folder.path("state/chats")
    var warnings: [String] = []
    func keeper() -> ConversationKeeper {
      ConversationKeeper(model: "m", folder: chats) { warnings.append($0) }
    }
    var first: ConversationKeeper? = keeper()
    #expect(ConversationFile.all(in: chats).isEmpty)
    first?.add(.system("s"))
    first?.add(.question("q"))
    let path = try #require(first?.path)
    first?.add(.answer("one "))
    first?.add(.answer("two"))
    #expect(try ConversationKeeper.load(path).turns.first?.answer == "one two")
    #expect(throws: CommandFailure.self) { try ConversationKeeper.find(nil, in: chats) }
    first = nil

    // The program was killed within a record.
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data("{\"answer\":\"lo".utf8))
    try handle.close()
    let found = try ConversationKeeper.find(nil, in: chats)
    #expect(found.path == path && found.isKept)
    let saved = try ConversationKeeper.load(path)
    #expect(saved.turns == [.init(question: "q", answer: "one two")])
    let second = keeper()
    second.resume(saved, in: path)
    second.add(.question("q2"))
    #expect(second.path == path)
    #expect(try ConversationKeeper.load(path).turns.map(\.question) == ["q", "q2"])

    // A third chat cannot write into the same file.
    let third = keeper()
    third.resume(saved, in: path)
    third.add(.question("q3"))
    #expect(third.path != path && warnings.count == 1)
    #expect(try ConversationKeeper.load(third.path ?? "").turns.map(\.question) == ["q", "q3"])
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    #expect(attributes[.posixPermissions] as? Int == 0o600)
  }

  @Test func `saving replaces a conversation and nothing else`() throws {
    let folder = try TemporaryFolder()
    let keeper = ConversationKeeper(model: "m", folder: nil) { _ in }
    keeper.add(.question("q"))
    keeper.add(.answer("a"))
    try keeper.save(to: folder.path("a.jsonl"))
    keeper.add(.answer("b"))
    try keeper.save(to: folder.path("a.jsonl"))
    #expect(try ConversationKeeper.load(folder.path("a.jsonl")).turns.first?.answer == "ab")
    try folder.write("mine", "precious")
    #expect(throws: CommandFailure.self) { try keeper.save(to: folder.path("mine")) }
    #expect(try folder.read("mine") == "precious")
    #expect(throws: CommandFailure.self) { try keeper.save(to: folder.path("no/such/folder")) }
  }

  @Test func `only so many conversations are kept`() throws {
    let folder = try TemporaryFolder()
    for number in 0..<(ConversationFile.keptCount + 5) {
      let file = try folder.write("old-\(number).jsonl", "x")
      // Clocks of file systems are coarse: what is old must be older.
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSince1970: 1000)], ofItemAtPath: file.path)
    }
    let keeper = ConversationKeeper(model: "m", folder: folder.url.path) { _ in }
    keeper.add(.question("q"))
    let kept = ConversationFile.all(in: folder.url.path)
    #expect(kept.count == ConversationFile.keptCount && kept.first == keeper.path)
  }

  @Test func `what cannot be kept is told once`() throws {
    let folder = try TemporaryFolder()
    try folder.write("file", "")
    var warnings = 0
    let keeper = ConversationKeeper(model: "m", folder: folder.path("file/chats")) { _ in
      warnings += 1
    }
    keeper.add(.question("q"))
    keeper.add(.answer("a"))
    #expect(warnings == 1 && keeper.saved.turns.first?.answer == "a")
  }
}

@Suite struct `History file` {
  @Test func `entries of several chats are all there, several lines in one`() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("state/history")
    let files = (0..<4).map { _ in HistoryFile(path: path) { Issue.record("\($0)") } }
    for number in 0..<40 { files[number % 4].append("entry \(number)\nline \"2\"") }
    files[0].append("  ")
    files[1].append(String(repeating: "x", count: HistoryFile.maximumEntryBytes + 1))
    #expect(files[0].entries() == (0..<40).map { "entry \($0)\nline \"2\"" })
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    #expect(attributes[.posixPermissions] as? Int == 0o600)
  }

  @Test func `a long file is shortened, and lines that are no entry are passed over`() throws {
    let folder = try TemporaryFolder()
    let lines = (0..<2500).map { "\"\($0)\"\n" }.joined()
    try folder.write("history", lines + "{broken\n")
    let file = HistoryFile(path: folder.path("history")) { Issue.record("\($0)") }
    #expect(file.entries() == (1501..<2500).map(String.init))
    #expect(try folder.read("history").split(separator: "\n").count == HistoryFile.limit)
  }
}
