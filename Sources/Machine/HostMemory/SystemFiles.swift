import Glibc

/// The system's own descriptions of itself, small texts under `/proc` and `/sys`.
///
/// What is read from them is decided by functions of the texts, so that tests can describe machines that
/// nobody has at hand.
public struct SystemFiles: Sendable {
  /// The text of a file, nil where it cannot be read.
  let text: @Sendable (_ path: String) -> String?
  /// Whether there is something of that name, which need not be a text.
  let exists: @Sendable (_ path: String) -> Bool

  public init(_ text: @escaping @Sendable (_ path: String) -> String?) {
    self.init(text, exists: { text($0) != nil })
  }

  private init(
    _ text: @escaping @Sendable (_ path: String) -> String?,
    exists: @escaping @Sendable (_ path: String) -> Bool
  ) {
    self.text = text
    self.exists = exists
  }

  /// Those of the running system.
  public static let live = SystemFiles(
    { path in
      guard let file = fopen(path, "r") else { return nil }
      defer { fclose(file) }
      var bytes: [UInt8] = []
      var part = [UInt8](repeating: 0, count: 16_384)
      // None of these texts is long; a limit keeps a surprise from growing.
      while bytes.count < 8 << 20 {
        let count = fread(&part, 1, part.count, file)
        if count == 0 { break }
        bytes += part[..<count]
      }
      return String(decoding: bytes, as: UTF8.self)
    }, exists: { access($0, F_OK) == 0 })

  /// The first line of a file, without its end.
  func firstLine(_ path: String) -> String? {
    text(path)?.split(separator: "\n", maxSplits: 1).first.map(String.init)
  }

  /// A file that is one whole number.
  func number(_ path: String) -> Int? { firstLine(path).flatMap { Int($0) } }

  /// The first word behind `key` in a text of lines "key value ...".
  func field(_ key: String, in path: String) -> String? {
    guard let text = text(path) else { return nil }
    for line in text.split(separator: "\n") {
      let words = line.split(maxSplits: 2) { $0 == " " || $0 == "\t" }
      if words.count >= 2, words[0] == key { return String(words[1]) }
    }
    return nil
  }

  /// The numbers of a list such as `0-3,8,10-11`; nil where it is no such list.
  static func numbers(inList list: String) -> [Int]? {
    var found: [Int] = []
    for part in list.split(separator: ",") {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
      guard let first = ends.first ?? nil, let last = ends.last ?? nil, ends.count <= 2,
        first >= 0, first <= last, last < 65_536
      else { return nil }
      found.append(contentsOf: first...last)
    }
    return found
  }

  /// The numbers of a file that is such a list; nil where there is none or it is empty.
  func list(_ path: String) -> [Int]? {
    guard let line = firstLine(path), let numbers = Self.numbers(inList: line), !numbers.isEmpty
    else { return nil }
    return numbers
  }
}
