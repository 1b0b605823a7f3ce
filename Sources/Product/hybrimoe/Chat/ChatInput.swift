/// What a line that was typed into a chat asks for.
enum ChatInput: Equatable {
  case question(String)
  case help, reset, stats, quit
  /// A new system message; nil asks for the present one.
  case system(String?)
  case unavailable(String)
  case unknown(String)
  case nothing

  init(_ line: String) {
    let text = line.drop { $0.isWhitespace }
    guard !text.isEmpty else {
      self = .nothing
      return
    }
    // A second slash makes a question of what would be a command.
    guard text.first == "/", !text.hasPrefix("//") else {
      self = .question(text.hasPrefix("//") ? String(text.dropFirst()) : line)
      return
    }
    let words = text.split(maxSplits: 1, whereSeparator: \.isWhitespace)
    let argument = words.count > 1 ? String(words[1]) : nil
    self =
      switch words[0] {
      case "/help", "/?": .help
      case "/reset": .reset
      case "/stats": .stats
      case "/quit", "/exit", "/bye": .quit
      case "/system": .system(argument)
      case "/save", "/load": .unavailable(String(words[0]))
      default: .unknown(String(words[0]))
      }
  }

  static let commandNames = [
    "/help", "/load", "/quit", "/reset", "/save", "/stats", "/system",
  ]

  static let helpText = """
    /system TEXT  set the system message and start over; without TEXT, show it
    /reset        forget the conversation
    /stats        tokens, speeds, and what caches and copies were good for in the last answer
    /quit         leave, as Ctrl-D does
    Ctrl-C        stop the answer
    //TEXT        a question that begins with a slash
    """
}
