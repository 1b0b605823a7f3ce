import Compression
import Glibc

/// A file that a command writes; packed where its name ends in `.gz`. `-` is standard output.
///
/// What was written and flushed is in the file, whatever becomes of the process.
final class OutputFile {
  let path: String
  private let descriptor: Int32
  private var packing = Packing()

  // Apart, because a class cannot consume a stored optional that owns something.
  private struct Packing: ~Copyable {
    var deflater: Deflater?
  }

  /// Creates the file, or empties it where it exists.
  ///
  /// - Throws: `CommandFailure` with the system's reason, such as a missing folder.
  init(path: String) throws {
    self.path = path
    if path == "-" {
      descriptor = OutputStream.standardOutput.descriptor
    } else {
      descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
      guard descriptor >= 0 else {
        throw CommandFailure("Cannot write \(path): \(String(cString: strerror(errno))).")
      }
    }
    if path.hasSuffix(".gz") { packing.deflater = try Deflater() }
  }

  deinit {
    if path != "-" { close(descriptor) }
  }

  /// Appends bytes.
  ///
  /// - Throws: `CommandFailure` where the file takes no more, such as on a full disk.
  func write(_ bytes: [UInt8]) throws {
    guard packing.deflater != nil else { return try put(bytes) }
    var packed: [UInt8] = []
    packing.deflater?.pack(bytes, to: &packed)
    try put(packed)
  }

  func write(_ text: String) throws { try write(Array(text.utf8)) }

  /// Brings all that was written so far into the file, also where it is packed.
  func flush() throws {
    var packed: [UInt8] = []
    packing.deflater?.flush(to: &packed)
    try put(packed)
  }

  /// Ends the file; must be called once, and last.
  func finish() throws {
    var packed: [UInt8] = []
    packing.deflater?.finish(to: &packed)
    packing.deflater = nil
    try put(packed)
  }

  private func put(_ bytes: [UInt8]) throws {
    let name = path == "-" ? "standard output" : path
    try OutputStream(descriptor: descriptor, name: name).write(bytes)
  }
}
