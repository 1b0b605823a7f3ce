import Glibc

/// Lines of aligned figures, and the limits that were not kept.
struct Report {
  private(set) var failures: [String] = []

  /// A limit that must hold; what does not is told at the end.
  mutating func require(_ holds: Bool, _ limit: String) {
    if !holds { failures.append(limit) }
  }

  /// A row: the first cell to the left in 30 columns, the others to the right.
  func row(_ title: String, _ cells: [String], widths: [Int]) {
    var line = title + String(repeating: " ", count: max(0, 30 - title.count))
    for (cell, width) in zip(cells, widths) {
      line += String(repeating: " ", count: max(1, width - cell.count)) + cell
    }
    print(line)
  }

  static func fixed(_ value: Double, _ digits: Int) -> String {
    let scale = (0..<digits).reduce(1.0) { value, _ in value * 10 }
    let whole = (value * scale).rounded()
    guard digits > 0 else { return "\(Int(whole))" }
    let text = String(Int(abs(whole)))
    let padded = String(repeating: "0", count: max(0, digits + 1 - text.count)) + text
    return (whole < 0 ? "-" : "") + padded.dropLast(digits) + "." + padded.suffix(digits)
  }

  /// The first line that a shell command prints.
  static func firstLine(of command: String) -> String {
    guard let pipe = popen(command, "r") else { return "unknown" }
    defer { pclose(pipe) }
    var buffer = [CChar](repeating: 0, count: 256)
    guard fgets(&buffer, 256, pipe) != nil else { return "unknown" }
    let bytes = buffer.prefix { $0 != 0 && $0 != 10 }.map(UInt8.init(bitPattern:))
    return String(decoding: bytes.drop { $0 == 32 }, as: UTF8.self)
  }
}
