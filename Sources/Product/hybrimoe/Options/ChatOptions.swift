import ArgumentParser

/// How a chat begins, is kept and looks.
struct ChatOptions: ParsableArguments {
  /// What `--resume` without a name means.
  static let last = "last"

  @Option(
    defaultAsFlag: Self.last,
    help: .init(
      "Go on with the last conversation, or with a file or the one whose name begins so.",
      valueName: "file or name"))
  var resume: String?

  @Flag(help: "Do not keep the conversation and what is typed.")
  var noSave = false

  @Flag(help: "Show answers as the model writes them, without laying out Markdown.")
  var noMarkdown = false

  @Flag(help: "Do not show figures behind each answer.")
  var noFigures = false

  /// Where conversations are kept; nil where the environment names no home.
  var folder: String? { ConversationFile.folder(environment: Environment.all) }

  /// How answers look: laid out on a terminal that can show it.
  func look(_ looking: LookingOptions) -> AnswerView.Look {
    let canMove = OutputStream.standardOutput.isTerminal && !Environment.hasDumbTerminal
    guard canMove, !noMarkdown else { return .exact }
    return .laidOut(usesStyle: !looking.noColor && !Environment.hasNonEmpty("NO_COLOR"))
  }

  /// The conversation to go on with; nil where none is asked for.
  ///
  /// - Throws: `CommandFailure` where it cannot be read.
  func resumed() throws -> (saved: SavedConversation, path: String?)? {
    guard let resume else { return nil }
    let found = try ConversationKeeper.find(resume == Self.last ? nil : resume, in: folder)
    return (try ConversationKeeper.load(found.path), found.isKept ? found.path : nil)
  }
}
