import Glibc

/// The editor that the user has chosen with `VISUAL` or `EDITOR`; else `vi`.
enum ExternalEditor {
  /// Lets the user change a text, and returns it without line breaks at its end.
  ///
  /// - Throws: `CommandFailure` where the editor cannot be started or fails.
  static func edit(_ text: String) throws -> String {
    let folder = Environment.value("TMPDIR") ?? "/tmp"
    var name = Array("\(folder)/hybrimoe-question-XXXXXX.md".utf8CString)
    let descriptor = mkstemps(&name, 3)
    let path = String(decoding: name.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    guard descriptor >= 0 else { throw PrivateFile.failure("write", path) }
    defer { unlink(path) }
    do {
      defer { close(descriptor) }
      try OutputStream(descriptor: descriptor, name: path).write(text)
    }
    try run(path)
    var edited = try InputFile.text(path, maximumBytes: LineReader.maximumBytes)
    while edited.last?.isNewline == true { edited.removeLast() }
    return edited.replacing("\r\n", with: "\n")
  }

  private static func run(_ path: String) throws {
    // The variable may hold arguments too, which the shell takes apart.
    let words = ["sh", "-c", "${VISUAL:-${EDITOR:-vi}} \"$0\"", path]
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    var process: pid_t = 0
    let code = posix_spawnp(&process, "sh", nil, nil, &arguments, environ)
    guard code == 0 else {
      throw CommandFailure("Cannot start the editor: \(String(cString: strerror(code))).")
    }
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0, errno == EINTR {}
    _ = Interrupts.take()
    guard status == 0 else {
      throw CommandFailure(
        "The editor failed, so the question is not changed. EDITOR names another.")
    }
  }
}
