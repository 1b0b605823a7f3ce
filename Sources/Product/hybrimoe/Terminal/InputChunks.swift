import Glibc

/// The bytes of a file that the user named, piece by piece; `-` is standard input.
final class InputChunks {
  /// The file as messages name it.
  let name: String
  private let descriptor: Int32

  /// - Throws: `CommandFailure` naming the file, where it cannot be opened.
  init(path: String) throws {
    name = path == "-" ? "standard input" : "'\(path)'"
    descriptor = path == "-" ? 0 : open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure }
  }

  deinit { if descriptor > 0 { close(descriptor) } }

  /// The next bytes, at most 64 KiB; nil at the end.
  ///
  /// - Throws: `CommandFailure` naming the file.
  func next() throws -> [UInt8]? {
    var code: Int32 = 0
    let chunk = [UInt8](unsafeUninitializedCapacity: 1 << 16) { bytes, count in
      while true {
        let result = read(descriptor, bytes.baseAddress, bytes.count)
        if result < 0, errno == EINTR { continue }
        if result < 0 { code = errno }
        count = max(0, result)
        return
      }
    }
    if code != 0 {
      errno = code
      throw failure
    }
    return chunk.isEmpty ? nil : chunk
  }

  private var failure: CommandFailure {
    CommandFailure("Cannot read \(name): \(String(cString: strerror(errno))).")
  }
}
