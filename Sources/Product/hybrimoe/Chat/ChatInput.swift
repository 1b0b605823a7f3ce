/// What a line that was typed into a chat asks for.
enum ChatInput: Equatable {
  case question(String)
  case help, reset, stats, quit
  /// A new system message; nil asks for the present one.
  case system(String?)
  /// A file; nil asks what there is.
  case save(String?), load(String?)
  /// The last question again; the last question and its answer forgotten.
  case retry, undo
  /// A text to begin with in the user's own editor.
  case edit(String?)
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
      case "/save": .save(argument.map(Self.trimmed))
      case "/load": .load(argument.map(Self.trimmed))
      case "/retry": .retry
      case "/undo": .undo
      case "/edit": .edit(argument)
      default: .unknown(String(words[0]))
      }
  }

  private static func trimmed(_ path: String) -> String {
    var path = path
    while path.last?.isWhitespace == true { path.removeLast() }
    return path
  }

  static let commandNames = [
    "/edit", "/help", "/load", "/quit", "/reset", "/retry", "/save", "/stats", "/system", "/undo",
  ]

  static let helpText = """
    /retry        answer the last question again
    /undo         forget the last question and its answer
    /reset        forget the conversation
    /system TEXT  set the system message and start over; without TEXT, show it
    /save FILE    write the conversation to a file
    /load FILE    go on with a conversation; without FILE, list those that are kept
    /edit         write the question in $EDITOR
    /stats        tokens, speeds, and what caches and copies were good for in the last answer
    /quit         leave, as Ctrl-D does
    //TEXT        a question that begins with a slash
    """

  /// What the keys do, where lines are edited here.
  static let keysText = """
    Ctrl-C        stop the answer, or drop the line
    Alt-Enter     a new line, as Ctrl-J and a backslash at the end are; pasted lines stay together
    Up, Ctrl-R    earlier lines; search them
    Tab           complete a command or a file name
    Ctrl-W -K -U  cut a word, the rest of the line, its beginning; Ctrl-Y pastes, Ctrl-_ undoes
    """
}
