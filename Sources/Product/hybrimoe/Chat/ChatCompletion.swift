import FoundationEssentials

/// What Tab offers in a chat: its commands, and files behind those that take one.
enum ChatCompletion {
  /// Candidates that could stand in place of the last characters before the cursor, and how many
  /// those are.
  static func candidates(for before: String) -> (candidates: [String], count: Int) {
    guard before.hasPrefix("/"), !before.contains("\n") else { return ([], 0) }
    guard let blank = before.firstIndex(where: \.isWhitespace) else {
      let names = ChatInput.commandNames.filter { $0.hasPrefix(before) }
      return (names.count == 1 ? [names[0] + " "] : names, before.count)
    }
    guard ["/load", "/save"].contains(before[..<blank]) else { return ([], 0) }
    let path = before[blank...].drop(while: \.isWhitespace)
    return (files(beginning: String(path)), path.count)
  }

  /// Paths that begin with one; folders end with a slash.
  private static func files(beginning path: String) -> [String] {
    let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
    let name = path.dropFirst(folder.count)
    let place = folder.isEmpty ? "." : UserPath.expanded(folder)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: place)) ?? []
    return names.filter {
      $0.hasPrefix(name) && (name.hasPrefix(".") || !$0.hasPrefix("."))
        // A name that would steer the terminal cannot be typed either.
        && TerminalText.safe($0) == $0
    }.sorted().map { name in
      var isFolder = false
      _ = FileManager.default.fileExists(atPath: place + "/" + name, isDirectory: &isFolder)
      return folder + name + (isFolder ? "/" : "")
    }
  }
}

/// A path as it was typed where no shell reads it.
enum UserPath {
  /// The path with `~/` at its beginning replaced by the home folder.
  static func expanded(_ path: String) -> String {
    guard path.hasPrefix("~/"), let home = Environment.value("HOME") else { return path }
    return home + path.dropFirst(1)
  }
}

extension PromptReader {
  /// The reader of a chat, with the history of earlier ones.
  ///
  /// - Parameter keepsHistory: whether what is typed is remembered.
  convenience init(_ console: Console, keepsHistory: Bool) {
    let folder = keepsHistory ? Places(environment: Environment.all).state : nil
    self.init(
      history: folder.map { HistoryFile(path: $0 + "/history", warn: console.warn) },
      usesStyle: console.usesColor, complete: ChatCompletion.candidates)
  }
}
