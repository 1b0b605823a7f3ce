import OrderedJSON

/// One thing that happened in a conversation: a line of its file.
enum ConversationRecord: Equatable {
  /// The first line.
  case beginning(model: String, time: String)
  /// Another model answers from here on.
  case model(String)
  /// The system message; with it the conversation starts over.
  case system(String?)
  case question(String)
  /// The next piece of what the model thinks before it answers.
  case reasoning(String)
  case answer(String)
  /// The answer has ended; why.
  case end(reason: String)
  /// The last answer is forgotten, and another one follows.
  case retry
  /// The last question and its answer are forgotten.
  case undo
  case reset

  /// The version of the format that is written.
  static let version = 1

  /// The record on its line.
  var line: String {
    let members: [(String, JSONValue)] =
      switch self {
      case .beginning(let model, let time):
        [
          ("hybrimoeConversation", .integer(Self.version)), ("model", .string(model)),
          ("time", .string(time)),
        ]
      case .model(let name): [("model", .string(name))]
      case .system(let text): [("system", .optional(text))]
      case .question(let text): [("question", .string(text))]
      case .reasoning(let text): [("reasoning", .string(text))]
      case .answer(let text): [("answer", .string(text))]
      case .end(let reason): [("end", .string(reason))]
      case .retry: [("retry", .bool(true))]
      case .undo: [("undo", .bool(true))]
      case .reset: [("reset", .bool(true))]
      }
    return JSONValue.object(members).text + "\n"
  }

  /// - Throws: `JSONError` where the line is no record.
  init(line: some Sequence<UInt8>) throws {
    guard let text = String(validating: line, as: UTF8.self) else {
      throw JSONError.syntax(line: 1, column: 1, problem: "this is not UTF-8 text")
    }
    let root = JSONNode(try JSONValue(parsing: text))
    guard let (key, node) = try root.members().first else {
      throw root.mismatch(expected: "a key", found: "none")
    }
    switch key {
    case "hybrimoeConversation":
      let version = try node.integer()
      guard version == Self.version else {
        throw node.mismatch(
          expected: "format version \(Self.version)",
          found: "\(version), which another version of hybrimoe wrote")
      }
      self = .beginning(
        model: try root["model"].string(), time: try root.optional("time")?.string() ?? "")
    case "model": self = .model(try node.string())
    case "system": self = .system(try root.optional("system")?.string())
    case "question": self = .question(try node.string())
    case "reasoning": self = .reasoning(try node.string())
    case "answer": self = .answer(try node.string())
    case "end": self = .end(reason: try node.string())
    case "retry": self = .retry
    case "undo": self = .undo
    case "reset": self = .reset
    default:
      throw JSONError.mismatch(
        path: "", expected: "a record of a conversation", found: "\"\(key)\"")
    }
  }
}

/// A conversation as its file tells it.
struct SavedConversation: Equatable {
  struct Turn: Equatable {
    var question: String
    var reasoning = ""
    var answer = ""
    /// Why the answer ended; nil where the program ended first.
    var end: String?
  }

  var model = ""
  var time = ""
  var system: String?
  var turns: [Turn] = []
  /// Bytes of whole records; what lies behind them is the beginning of one.
  var byteCount = 0

  /// Turns with an answer, which a model is told; also one that was cut short.
  var answered: [Turn] { turns.filter { !$0.answer.isEmpty } }

  /// The last question, where nothing answers it.
  var unanswered: String? {
    guard let last = turns.last, last.answer.isEmpty else { return nil }
    return last.question
  }

  init() {}

  /// Reads a file.
  ///
  /// The end of the last line may be missing, since a program that is killed ends anywhere.
  /// - Throws: `CommandFailure` naming the line that is damaged.
  init(_ bytes: [UInt8], name: String) throws {
    var hasBegun = false
    var rest = bytes[...]
    var number = 0
    while !rest.isEmpty {
      number += 1
      let end = rest.firstIndex(of: UInt8(ascii: "\n"))
      let line = rest[..<(end ?? rest.endIndex)]
      rest = rest[(end.map { $0 + 1 } ?? rest.endIndex)...]
      do {
        let record = try ConversationRecord(line: line)
        if case .beginning = record { hasBegun = true }
        guard hasBegun else { break }
        apply(record)
      } catch {
        if end == nil { break }
        throw CommandFailure(
          "\(name) is damaged, or no conversation of hybrimoe: line \(number): \(error). "
            + "It is left as it is.")
      }
      if end != nil { byteCount += line.count + 1 }
    }
    guard hasBegun else {
      throw CommandFailure("\(name) is no conversation of hybrimoe. It is left as it is.")
    }
  }

  mutating func apply(_ record: ConversationRecord) {
    switch record {
    case .beginning(let name, let begun): (model, time) = (name, begun)
    case .model(let name): model = name
    case .system(let text): (system, turns) = (text, [])
    case .question(let text): turns.append(Turn(question: text))
    case .reasoning(let text): if !turns.isEmpty { turns[turns.count - 1].reasoning += text }
    case .answer(let text): if !turns.isEmpty { turns[turns.count - 1].answer += text }
    case .end(let reason): if !turns.isEmpty { turns[turns.count - 1].end = reason }
    case .retry:
      if let last = turns.popLast() { turns.append(Turn(question: last.question)) }
    case .undo: _ = turns.popLast()
    case .reset: turns = []
    }
  }

  /// The shortest file of the conversation.
  var text: String {
    var records = [ConversationRecord.beginning(model: model, time: time)]
    if let system { records.append(.system(system)) }
    for turn in turns {
      records.append(.question(turn.question))
      if !turn.reasoning.isEmpty { records.append(.reasoning(turn.reasoning)) }
      if !turn.answer.isEmpty { records.append(.answer(turn.answer)) }
      if let end = turn.end { records.append(.end(reason: end)) }
    }
    return records.map(\.line).joined()
  }
}
