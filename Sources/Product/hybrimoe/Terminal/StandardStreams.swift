import Glibc

/// One of the process's three streams, written without a buffer, so that streamed text appears at
/// once and nothing is lost when the process ends.
struct OutputStream: Sendable {
  let descriptor: Int32
  let name: String

  static let standardOutput = OutputStream(descriptor: 1, name: "standard output")
  static let standardError = OutputStream(descriptor: 2, name: "standard error")

  /// Whether a person is looking at the stream.
  var isTerminal: Bool { isatty(descriptor) == 1 }

  /// Writes all of the text.
  ///
  /// - Throws: `CommandFailure` where the stream takes no more, such as a full disk.
  func write(_ text: String) throws {
    guard !text.isEmpty else { return }
    var text = text
    try check(text.withUTF8 { put($0) })
  }

  /// Writes all of the bytes.
  ///
  /// - Throws: as with a text.
  func write(_ bytes: [UInt8]) throws {
    guard !bytes.isEmpty else { return }
    try check(bytes.withUnsafeBufferPointer { put($0) })
  }

  private func check(_ failure: Int32?) throws {
    if let failure {
      throw CommandFailure("Cannot write to \(name): \(String(cString: strerror(failure))).")
    }
  }

  // Writes until nothing is left; the system's error number where that fails.
  private func put(_ bytes: UnsafeBufferPointer<UInt8>) -> Int32? {
    var rest = bytes[...]
    while !rest.isEmpty {
      let written = Glibc.write(
        descriptor, UnsafeBufferPointer(rebasing: rest).baseAddress, rest.count)
      if written >= 0 {
        rest = rest.dropFirst(written)
      } else if errno == EAGAIN {
        // Whoever shares the stream may have made it non-blocking.
        wait(for: POLLOUT, on: descriptor)
      } else if errno != EINTR {
        return errno
      }
    }
    return nil
  }
}

/// Waits until a non-blocking stream is ready; false where a signal came first.
@discardableResult
private func wait(for event: Int32, on descriptor: Int32) -> Bool {
  var request = pollfd(fd: descriptor, events: Int16(event), revents: 0)
  return poll(&request, 1, -1) >= 0
}

/// Text lines from standard input.
///
/// Reads with `read`, not with the C library's buffered streams: an interrupt at the prompt must
/// come back to the caller and must not end the input.
struct LineReader {
  enum Line: Equatable {
    case text(String)
    case notUTF8
    /// The terminal has thrown the line's end away.
    case cut
    case interrupted
    case end
  }

  /// Longest line that is accepted, so that endless input without a line break ends with an error.
  static let maximumBytes = 16 << 20

  /// Bytes of a line that a terminal keeps while it edits lines itself; it drops the others silently.
  static let terminalLimit = 4095

  /// How long an interrupt at the wrong moment may stay unnoticed.
  private static let interruptCheckMilliseconds: Int32 = 200

  private var buffer: [UInt8] = []
  private var isFirst = true
  private var isAtEnd = false

  /// The next line without its line break.
  mutating func next() throws -> Line {
    var searched = 0
    while true {
      if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
        defer { buffer.removeFirst(end + 1) }
        return line(buffer[..<end])
      }
      searched = buffer.count
      if isAtEnd {
        guard !buffer.isEmpty else { return .end }
        defer { buffer = [] }
        return line(buffer[...])
      }
      guard buffer.count <= Self.maximumBytes else {
        throw CommandFailure(
          "A line on standard input is longer than \(Self.maximumBytes >> 20) MiB.")
      }
      switch try readMore() {
      case .interrupted: return .interrupted
      case .end: isAtEnd = true
      case .more: break
      }
    }
  }

  /// Whether standard input is a terminal in canonical mode.
  private static var isEditedByTerminal: Bool {
    var mode = termios()
    return tcgetattr(0, &mode) == 0 && mode.c_lflag & tcflag_t(ICANON) != 0
  }

  private enum Reading { case more, end, interrupted }

  private mutating func readMore() throws -> Reading {
    // An interrupt that comes just before `read` would not end it, so that is begun only when there
    // is something to read.
    var isReady = false
    while !isReady {
      guard !Interrupts.isWaiting else { return .interrupted }
      var request = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
      let count = poll(&request, 1, Self.interruptCheckMilliseconds)
      isReady = count > 0 || (count < 0 && errno != EINTR)
    }
    var chunk = [UInt8](repeating: 0, count: 65536)
    let count = chunk.withUnsafeMutableBytes { read(0, $0.baseAddress, $0.count) }
    if count > 0 {
      buffer += chunk[..<count]
      return .more
    }
    if count == 0 { return .end }
    if errno == EAGAIN { return wait(for: POLLIN, on: 0) ? .more : .interrupted }
    if errno == EINTR { return .interrupted }
    throw CommandFailure("Cannot read standard input: \(String(cString: strerror(errno))).")
  }

  private mutating func line(_ bytes: ArraySlice<UInt8>) -> Line {
    if bytes.count >= Self.terminalLimit, Self.isEditedByTerminal { return .cut }
    var bytes = bytes.last == UInt8(ascii: "\r") ? bytes.dropLast() : bytes
    // Some programs begin a text with a byte order mark.
    if isFirst, bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
    isFirst = false
    return String(validating: bytes, as: UTF8.self).map(Line.text) ?? .notUTF8
  }
}
