import Glibc
import OrderedJSON

/// What was entered at earlier prompts, in a private file: one JSON string on each line, because an
/// entry may have several lines.
///
/// Several chats may append at the same time. A history that cannot be read or written is told once
/// and does without.
final class HistoryFile {
  /// Most entries that are kept; twice as many may lie in the file until it is shortened.
  static let limit = 1000
  /// Longest entry that is kept, in bytes: a pasted book is no line to come back to.
  static let maximumEntryBytes = 65536

  private let path: String
  private let warn: (String) -> Void
  private var hasWarned = false

  init(path: String, warn: @escaping (String) -> Void) {
    self.path = path
    self.warn = warn
  }

  /// The entries, oldest first; lines that are no entry are passed over.
  func entries() -> [String] {
    guard access(path, F_OK) == 0 else { return [] }
    do {
      let text = try InputFile.text(path, maximumBytes: InputFile.maximumDescriptionBytes)
      let lines = text.split(separator: "\n")
      if lines.count > 2 * Self.limit { try shorten() }
      return lines.suffix(Self.limit).compactMap(Self.entry)
    } catch {
      tell(error)
      return []
    }
  }

  private static func entry(_ line: Substring) -> String? {
    guard case .string(let entry)? = try? JSONValue(parsing: String(line)) else { return nil }
    return entry
  }

  func append(_ entry: String) {
    guard entry.contains(where: { !$0.isWhitespace }), entry.utf8.count <= Self.maximumEntryBytes
    else { return }
    do {
      try PrivateFile.create(for: path)
      try locked { file in try file.write(JSONValue.string(entry).text + "\n") }
    } catch {
      tell(error)
    }
  }

  /// Keeps the newest entries only.
  private func shorten() throws {
    try locked { _ in
      let text = try InputFile.text(path, maximumBytes: InputFile.maximumDescriptionBytes)
      let kept = text.split(separator: "\n").suffix(Self.limit)
      try PrivateFile.replace(path, with: kept.map { $0 + "\n" }.joined())
    }
  }

  /// Does something while no other chat changes the file.
  private func locked(_ action: (OutputStream) throws -> Void) throws {
    while true {
      let descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
      guard descriptor >= 0 else { throw PrivateFile.failure("write", path) }
      defer { close(descriptor) }
      while flock(descriptor, LOCK_EX) != 0, errno == EINTR {}
      // Another chat may have replaced the file while this one waited for it.
      var opened = stat()
      var present = stat()
      guard fstat(descriptor, &opened) == 0, stat(path, &present) == 0,
        opened.st_ino == present.st_ino, opened.st_dev == present.st_dev
      else { continue }
      return try action(OutputStream(descriptor: descriptor, name: "'\(path)'"))
    }
  }

  private func tell(_ error: any Error) {
    guard !hasWarned else { return }
    hasWarned = true
    warn("What is typed is not remembered: \(error)")
  }
}
