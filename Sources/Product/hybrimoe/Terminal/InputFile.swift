/// A text file that the user named.
enum InputFile {
  /// Largest file that is read whole; endless devices end with an error instead of all memory.
  static let maximumBytes = 1 << 30

  /// Largest file of settings, rules or figures: far beyond what anybody writes, and read at once.
  static let maximumDescriptionBytes = 16 << 20

  /// The text of a file; `-` reads standard input.
  ///
  /// - Throws: `CommandFailure` naming the file, where it cannot be read, is larger than
  ///   `maximumBytes` or is not UTF-8.
  static func text(_ path: String, maximumBytes: Int = maximumBytes) throws -> String {
    let name = path == "-" ? "standard input" : "'\(path)'"
    let bytes = try bytes(path, maximumBytes: maximumBytes)
    if let text = String(validating: bytes, as: UTF8.self) { return text }
    throw CommandFailure(
      "\(name) is not UTF-8 text: byte \(invalidOffset(bytes)) begins no valid character. "
        + "Convert it first, for example with 'iconv -t UTF-8'.")
  }

  /// The text of a file that people write by hand.
  static func description(_ path: String) throws -> String {
    try text(path, maximumBytes: maximumDescriptionBytes)
  }

  /// The bytes of a file.
  ///
  /// - Throws: `CommandFailure` naming the file, where it cannot be read or is larger.
  static func bytes(_ path: String, maximumBytes: Int) throws -> [UInt8] {
    let input = try InputChunks(path: path)
    var result: [UInt8] = []
    while let chunk = try input.next() {
      result += chunk
      guard result.count <= maximumBytes else {
        throw CommandFailure("\(input.name) is larger than \(HumanUnits.bytes(maximumBytes)).")
      }
    }
    return result
  }

  /// Where the first byte stands that is part of no character.
  private static func invalidOffset(_ bytes: [UInt8]) -> Int {
    var decoder = UTF8()
    var iterator = bytes.makeIterator()
    var offset = 0
    while case .scalarValue(let scalar) = decoder.decode(&iterator) {
      offset += UTF8.width(scalar)
    }
    return offset
  }
}
