import Glibc

/// Bytes from a terminal whose lines are edited here.
enum TerminalInput: Equatable {
  case bytes([UInt8])
  /// Nothing came in time, or a signal did.
  case nothing
  case end

  /// Waits for the next bytes.
  ///
  /// - Throws: `CommandFailure` where the terminal cannot be read.
  static func next(within milliseconds: Int32) throws -> TerminalInput {
    var request = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
    guard poll(&request, 1, milliseconds) > 0 else { return .nothing }
    var chunk = [UInt8](repeating: 0, count: 65536)
    let count = chunk.withUnsafeMutableBytes { read(0, $0.baseAddress, $0.count) }
    if count > 0 { return .bytes(Array(chunk[..<count])) }
    if count == 0 { return .end }
    switch errno {
    case EINTR, EAGAIN: return .nothing
    // The terminal is gone.
    case EIO: return .end
    default:
      throw CommandFailure("Cannot read standard input: \(String(cString: strerror(errno))).")
    }
  }

  /// Columns and rows of the terminal; 80 and 24 where it does not say.
  static var size: (columns: Int, rows: Int) {
    var size = winsize()
    guard ioctl(2, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return (80, 24) }
    return (Int(size.ws_col), size.ws_row > 0 ? Int(size.ws_row) : 24)
  }
}
