import Glibc

/// Lines of aligned figures, and the limits that were not kept.
public struct Report {
  public private(set) var failures: [String] = []
  /// Whether times count: on a machine that does other work they say nothing.
  public var hasTimeLimits = true

  public init() {}

  /// A line on the machine and one on the code.
  public func begin() {
    print("machine  " + Self.firstLine(of: "grep -m1 'model name' /proc/cpuinfo | cut -d: -f2-"))
    print("commit   " + Self.firstLine(of: "git describe --always --dirty"))
  }

  /// Tells what was not kept and ends the program: with 1 where that is anything, else with 0.
  public func end() -> Never {
    for failure in failures { print("NOT KEPT: \(failure)") }
    exit(failures.isEmpty ? 0 : 1)
  }

  /// A limit on a time, which only holds on a quiet machine.
  public mutating func require(_ nanoseconds: Double, atMost limit: Double, _ title: String) {
    guard hasTimeLimits else { return }
    require(nanoseconds <= limit, "\(title): at most \(Self.fixed(limit, 0)) ns")
  }

  /// A limit that must hold; what does not is told at the end.
  public mutating func require(_ holds: Bool, _ limit: String) {
    if !holds { failures.append(limit) }
  }

  /// A row: the first cell to the left in 34 columns, the others to the right.
  public func row(_ title: String, _ cells: [String], widths: [Int]) {
    var line = title + String(repeating: " ", count: max(0, 34 - title.count))
    for (cell, width) in zip(cells, widths) {
      line += String(repeating: " ", count: max(1, width - cell.count)) + cell
    }
    print(line)
  }

  public static func fixed(_ value: Double, _ digits: Int) -> String {
    let scale = (0..<digits).reduce(1.0) { value, _ in value * 10 }
    let whole = (value * scale).rounded()
    guard digits > 0 else { return "\(Int(whole))" }
    let text = String(Int(abs(whole)))
    let padded = String(repeating: "0", count: max(0, digits + 1 - text.count)) + text
    return (whole < 0 ? "-" : "") + padded.dropLast(digits) + "." + padded.suffix(digits)
  }

  /// The first line that a shell command prints.
  private static func firstLine(of command: String) -> String {
    guard let pipe = popen(command, "r") else { return "unknown" }
    defer { pclose(pipe) }
    var buffer = [CChar](repeating: 0, count: 256)
    guard fgets(&buffer, 256, pipe) != nil else { return "unknown" }
    let bytes = buffer.prefix { $0 != 0 && $0 != 10 }.map(UInt8.init(bitPattern:))
    return String(decoding: bytes.drop { $0 == 32 }, as: UTF8.self)
  }
}
