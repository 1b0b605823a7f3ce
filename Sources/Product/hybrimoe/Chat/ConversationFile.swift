import FoundationEssentials
import Glibc

/// The file that a conversation is kept in while it goes on.
///
/// Each record is in the file before what it says is shown, so that nothing that was seen is lost when
/// the program is killed; questions and ends of answers are on the disk then, and pieces of an answer
/// at most a second later. The file is private and locked.
final class ConversationFile {
  /// How many conversations are kept; the oldest ones go.
  static let keptCount = 100
  /// Largest conversation that is read.
  static let maximumBytes = 256 << 20

  let path: String
  private let stream: OutputStream
  private let clock = ContinuousClock()
  private var lastSync: ContinuousClock.Instant

  /// Creates a new file in a folder.
  ///
  /// - Parameter beginning: the records that it begins with.
  /// - Throws: `CommandFailure` with the system's reason.
  init(folder: String, beginning: String) throws {
    var path = ""
    var descriptor: Int32 = -1
    for attempt in 0..<100 {
      path = "\(folder)/\(Self.name(attempt: attempt))"
      try PrivateFile.create(for: path)
      descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
      if descriptor >= 0 || errno != EEXIST { break }
    }
    guard descriptor >= 0 else { throw PrivateFile.failure("write", path) }
    self.path = path
    stream = OutputStream(descriptor: descriptor, name: "'\(path)'")
    lastSync = clock.now
    flock(descriptor, LOCK_EX | LOCK_NB)
    try stream.write(beginning)
    try sync()
    Self.removeOld(in: folder)
  }

  /// Continues a file behind its whole records; nil where another chat has it.
  ///
  /// - Throws: `CommandFailure` with the system's reason.
  init?(continuing path: String, byteCount: Int) throws {
    let descriptor = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
    guard descriptor >= 0 else { throw PrivateFile.failure("write", path) }
    self.path = path
    stream = OutputStream(descriptor: descriptor, name: "'\(path)'")
    lastSync = clock.now
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { return nil }
    guard ftruncate(descriptor, byteCount) == 0 else { throw PrivateFile.failure("write", path) }
  }

  deinit { close(stream.descriptor) }

  /// Adds a record.
  ///
  /// - Throws: `CommandFailure` where the disk is full or gone.
  func append(_ record: ConversationRecord) throws {
    try stream.write(record.line)
    switch record {
    case .reasoning, .answer:
      guard lastSync.duration(to: clock.now) >= .seconds(1) else { return }
    default: break
    }
    try sync()
  }

  private func sync() throws {
    while fdatasync(stream.descriptor) != 0 {
      // Some file systems cannot; what is written is safe from the program's end all the same.
      if errno == EINVAL || errno == EROFS { break }
      if errno != EINTR { throw PrivateFile.failure("write", path) }
    }
    lastSync = clock.now
  }

  // MARK: The folder

  /// The folder of conversations, or nil where the environment names no home.
  static func folder(environment: [String: String]) -> String? {
    Places(environment: environment).state.map { $0 + "/chats" }
  }

  private static let suffix = ".jsonl"

  private static func name(attempt: Int) -> String {
    let now = LocalTime()
    let more = attempt > 0 ? "-\(attempt + 1)" : ""
    return "\(now.date)-\(now.clock.replacing(":", with: ""))\(more)\(suffix)"
  }

  /// The conversations of a folder, the one used last first.
  static func all(in folder: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    let dated = names.filter { $0.hasSuffix(suffix) }.map { name in
      let path = "\(folder)/\(name)"
      var file = stat()
      let isThere = stat(path, &file) == 0
      return (path, isThere ? (file.st_mtim.tv_sec, file.st_mtim.tv_nsec) : (0, 0))
    }
    return dated.sorted { $0.1 == $1.1 ? $0.0 > $1.0 : $0.1 > $1.1 }.map(\.0)
  }

  /// Whether a chat that goes on has the file.
  static func isInUse(_ path: String) -> Bool {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return flock(descriptor, LOCK_SH | LOCK_NB) != 0
  }

  private static func removeOld(in folder: String) {
    for path in all(in: folder).dropFirst(keptCount) where !isInUse(path) { unlink(path) }
  }
}

/// A moment as the clock on the wall tells it.
struct LocalTime {
  /// Such as `2025-08-05`.
  let date: String
  /// Such as `09:30:05`.
  let clock: String

  init() {
    var now = time(nil)
    var parts = tm()
    localtime_r(&now, &parts)
    func digits(_ number: Int32) -> String { (number < 10 ? "0" : "") + String(number) }
    date = "\(parts.tm_year + 1900)-\(digits(parts.tm_mon + 1))-\(digits(parts.tm_mday))"
    clock = "\(digits(parts.tm_hour)):\(digits(parts.tm_min)):\(digits(parts.tm_sec))"
  }
}
