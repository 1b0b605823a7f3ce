import Glibc

/// Files that nobody but their owner reads: what was typed and answered.
enum PrivateFile {
  /// Creates the folders above a file, private too, but the first: a user without a home has none.
  ///
  /// - Throws: `CommandFailure` with the system's reason.
  static func create(for file: String) throws {
    var path = ""
    for (depth, name) in file.split(separator: "/").dropLast().enumerated() {
      path += "/" + name
      guard (depth > 0 && mkdir(path, 0o700) == 0) || access(path, F_OK) == 0 else {
        throw failure("create", path)
      }
    }
  }

  /// Writes a private file anew: whoever reads it finds the old or the new text, whatever happens.
  ///
  /// - Throws: `CommandFailure` with the system's reason.
  static func replace(_ path: String, with text: String) throws {
    let draft = "\(path).\(getpid()).new"
    let descriptor = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw failure("write", draft) }
    do {
      defer { close(descriptor) }
      try OutputStream(descriptor: descriptor, name: "'\(draft)'").write(text)
      guard fsync(descriptor) == 0 else { throw failure("write", draft) }
    } catch {
      unlink(draft)
      throw error
    }
    guard rename(draft, path) == 0 else {
      let failure = failure("write", path)
      unlink(draft)
      throw failure
    }
  }

  /// What the system says that went wrong with a file.
  static func failure(_ action: String, _ path: String) -> CommandFailure {
    CommandFailure("Cannot \(action) '\(path)': \(String(cString: strerror(errno))).")
  }
}
