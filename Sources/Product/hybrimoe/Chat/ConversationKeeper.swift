import Glibc

/// Keeps a conversation: what was said so far, the file that it grows in, saving and loading.
///
/// A failure to write is told once; the talk goes on without the file.
final class ConversationKeeper {
  private(set) var saved = SavedConversation()
  /// Where files are made; nil keeps none.
  private let folder: String?
  private let model: String
  private let warn: (String) -> Void
  private var file: ConversationFile?
  private var hasFailed = false

  /// - Parameters:
  ///   - model: the name of the model that answers.
  ///   - folder: where the conversation is kept from its first question on; nil: nowhere.
  init(model: String, folder: String?, warn: @escaping (String) -> Void) {
    self.model = model
    self.folder = folder
    self.warn = warn
    begin()
  }

  private func begin() {
    saved = SavedConversation()
    saved.model = model
    let now = LocalTime()
    saved.time = "\(now.date) \(now.clock)"
  }

  /// The file's path, where there is one.
  var path: String? { file?.path }

  /// Adds what happened; where it cannot be kept, says so.
  func add(_ record: ConversationRecord) {
    saved.apply(record)
    guard let folder, !hasFailed else { return }
    do {
      if let file {
        try file.append(record)
      } else if case .question = record {
        // What was said before is in the file's beginning, this question too.
        file = try ConversationFile(folder: folder, beginning: saved.text)
      }
    } catch {
      hasFailed = true
      warn("The conversation is no longer kept: \(error)")
    }
  }

  /// Takes a conversation up that was loaded.
  ///
  /// - Parameter path: its file, where it is one of ours, to go on in.
  func resume(_ conversation: SavedConversation, in path: String?) {
    file = nil
    saved = conversation
    let formerModel = saved.model
    if folder != nil, let path, !hasFailed {
      do {
        file = try ConversationFile(continuing: path, byteCount: conversation.byteCount)
        if file == nil {
          warn("Another chat has this conversation open; this one goes on in a copy.")
        }
      } catch {
        warn("The conversation goes on in a copy: \(error)")
      }
    }
    if formerModel != model { add(.model(model)) }
  }

  /// Another system message, with which the conversation does not start over.
  func note(system: String) {
    let turns = saved.turns
    add(.system(system))
    for turn in turns {
      add(.question(turn.question))
      if !turn.answer.isEmpty { add(.answer(turn.answer)) }
      if let end = turn.end { add(.end(reason: end)) }
    }
  }

  /// Writes the conversation to a file of the user's, whole or not at all.
  ///
  /// - Throws: `CommandFailure`, also where the file exists and is something else.
  func save(to path: String) throws {
    let path = UserPath.expanded(path)
    if access(path, F_OK) == 0 {
      do {
        _ = try Self.load(path)
      } catch {
        throw CommandFailure(
          "'\(path)' exists and is no conversation, so it is not replaced; give another name.")
      }
    }
    try PrivateFile.replace(path, with: saved.text)
  }

  /// Reads a conversation.
  ///
  /// - Throws: `CommandFailure` naming the file.
  static func load(_ path: String) throws -> SavedConversation {
    let bytes = try InputFile.bytes(path, maximumBytes: ConversationFile.maximumBytes)
    return try SavedConversation(bytes, name: "'\(path)'")
  }

  /// The file that a name means: a path, or a conversation in the folder, whole or by its beginning.
  ///
  /// - Parameter name: nil: the conversation used last that is not in use.
  /// - Throws: `CommandFailure` where there is none.
  static func find(_ name: String?, in folder: String?) throws -> (path: String, isKept: Bool) {
    let kept = folder.map(ConversationFile.all) ?? []
    guard let name else {
      guard let last = kept.first(where: { !ConversationFile.isInUse($0) }) else {
        throw CommandFailure(
          "There is no conversation to continue; conversations are kept in "
            + "\(folder ?? "no folder, since HOME is not set").")
      }
      return (last, true)
    }
    let path = UserPath.expanded(name)
    if access(path, F_OK) == 0 { return (path, kept.contains(path)) }
    let matches = kept.filter { $0.split(separator: "/").last?.hasPrefix(name) == true }
    guard let match = matches.first, !name.contains("/") else {
      throw CommandFailure(
        "There is no conversation '\(name)', neither as a file nor in \(folder ?? "a folder of ours")."
      )
    }
    guard matches.count == 1 else {
      throw CommandFailure("'\(name)' is the beginning of \(matches.count) conversations.")
    }
    return (match, true)
  }
}
