import OrderedJSON

/// What a command tells the person who runs it: notes, warnings and progress, on standard error.
struct Console: Sendable {
  /// How much is told, least first.
  enum Level: String, CaseIterable, Sendable, Comparable {
    case error, warning, info, debug

    static func < (left: Level, right: Level) -> Bool {
      allCases.firstIndex(of: left) ?? 0 < allCases.firstIndex(of: right) ?? 0
    }
  }

  var level = Level.info
  /// Whether each message is one JSON object on its line.
  var isJSON = false
  var usesColor = false
  var stream = OutputStream.standardError

  func debug(_ message: String) { tell(.debug, message) }
  func note(_ message: String) { tell(.info, message) }
  func warn(_ message: String) { tell(.warning, message) }
  func fail(_ message: String) { tell(.error, message) }

  /// A note that stands back: dimmed where the terminal can.
  func aside(_ message: String) { tell(.info, message, color: "\u{1B}[2m") }

  /// Progress of something that may take long; shows itself on a terminal only.
  func progress(_ title: String) -> ProgressLine {
    ProgressLine(title: title, stream: isJSON || level < .info ? nil : stream)
  }

  private func tell(_ level: Level, _ message: String, color: String = "") {
    guard level <= self.level else { return }
    // A console that cannot be written to cannot be told about it either.
    try? stream.write(text(level, message, color: color))
  }

  /// A message as it is written. Files, servers and arguments have a say in messages, so control
  /// characters are shown as their numbers.
  ///
  /// - Parameter wholeColor: the color of the whole message, where the console uses any.
  func text(_ level: Level, _ message: String, color wholeColor: String = "") -> String {
    if isJSON {
      let object = JSONValue.object([
        ("level", .string(level.rawValue)), ("message", .string(message)),
      ])
      return object.text + "\n"
    }
    let (label, color) =
      switch level {
      case .error: ("Error: ", "\u{1B}[31m")
      case .warning: ("Warning: ", "\u{1B}[33m")
      case .info: ("", "")
      case .debug: ("", "\u{1B}[2m")
      }
    let message = TerminalText.safeLines(message)
    guard usesColor else { return "\(label)\(message)\n" }
    guard wholeColor.isEmpty else { return "\(wholeColor)\(label)\(message)\u{1B}[0m\n" }
    return color.isEmpty
      ? "\(label)\(message)\n" : "\(color)\(label)\u{1B}[0m\(message)\n"
  }
}
