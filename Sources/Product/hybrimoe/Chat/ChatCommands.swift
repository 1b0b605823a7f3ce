import LineEditing
import MarkdownScreens

// What is typed with a slash.
extension ChatLoop {
  mutating func handle(_ input: ChatInput) throws {
    switch input {
    case .question(let question): try answer(question)
    case .help:
      tell(ChatInput.helpText + (prompt == nil ? "" : "\n" + ChatInput.keysText), indent: 14)
    case .reset:
      conversation.reset()
      keeper.add(.reset)
      tell("The conversation is forgotten.")
    case .system(let text?):
      try conversation.setSystem(text)
      keeper.add(.system(text))
      tell("The system message is set; the conversation starts over.")
    case .system(nil):
      tell(conversation.system.map(TerminalText.safe) ?? "There is no system message.")
    case .stats: console.note(lastReport?.words ?? "There is no answer yet.")
    case .retry: try retry()
    case .undo: undo()
    case .save(let path): try save(path)
    case .load(let path): try load(path)
    case .edit(let text): try edit(text ?? "")
    case .unknown(let name):
      console.warn("There is no command \(TerminalText.safe(name)); /help lists them.")
    case .quit, .nothing: break
    }
  }

  /// A note on lines that fit.
  func tell(_ text: String, indent: Int = 0) {
    guard isInteractive, !console.isJSON else { return console.note(text) }
    let wrapped = TerminalText.wrapped(text, width: TerminalInput.size.columns - 1, indent: indent)
    console.note(String(wrapped.dropLast()))
  }

  private mutating func retry() throws {
    if let question = keeper.saved.unanswered {
      try answer(question, isRetry: true)
    } else if let question = conversation.dropLastTurn() {
      try answer(question, isRetry: true)
    } else {
      console.warn("There is no question to answer again.")
    }
  }

  private mutating func undo() {
    guard let question = keeper.saved.unanswered ?? conversation.dropLastTurn() else {
      return console.warn("There is no question to forget.")
    }
    keeper.add(.undo)
    tell("Forgotten: \(TerminalText.safe(question, width: 60))")
  }

  private func save(_ path: String?) throws {
    guard let path else { throw CommandFailure("Say where: /save FILE.") }
    guard !keeper.saved.turns.isEmpty else { throw CommandFailure("There is nothing to save yet.") }
    try keeper.save(to: path)
    tell("Saved to \(TerminalText.safe(path)); /load or --resume goes on with it.")
  }

  private mutating func load(_ name: String?) throws {
    guard let name else { return listKept() }
    let found = try ConversationKeeper.find(name, in: options.folder)
    let saved = try ConversationKeeper.load(found.path)
    try resume(saved, path: found.isKept ? found.path : nil, system: nil)
  }

  /// Goes on with a conversation.
  ///
  /// - Parameters:
  ///   - path: its file, where it is one of ours.
  ///   - system: another system message than its own.
  mutating func resume(_ saved: SavedConversation, path: String?, system: String?) throws {
    try conversation.restore(saved, system: system)
    keeper.resume(saved, in: path)
    if let system, system != saved.system { keeper.note(system: system) }
    lastReport = nil
    console.note(recap(saved))
  }

  private func listKept() {
    let paths = options.folder.map(ConversationFile.all) ?? []
    let lines = paths.prefix(20).compactMap { path -> String? in
      guard let saved = try? ConversationKeeper.load(path), let first = saved.turns.first else {
        return nil
      }
      let name = path.split(separator: "/").last.map(String.init) ?? path
      return "\(name)  \(TerminalText.safe(first.question, width: 50))"
    }
    guard !lines.isEmpty else { return console.note("No conversations are kept.") }
    console.note(lines.joined(separator: "\n") + "\n/load NAME goes on with one.")
  }

  private func edit(_ text: String) throws {
    guard let prompt else { throw CommandFailure("/edit needs a terminal that can be edited on.") }
    try prompt.editExternally(text)
  }

  /// What was said last, shortly.
  private func recap(_ saved: SavedConversation) -> String {
    let count = HumanUnits.counted(saved.turns.count, "question")
    let time = saved.time.isEmpty ? "" : " of \(TerminalText.safe(saved.time, width: 30))"
    var text = "Continuing the conversation\(time): \(count)."
    let model = keeper.saved.model
    if saved.model != model {
      text += " It was held with \(TerminalText.safe(saved.model, width: 60)); "
      text += "\(TerminalText.safe(model, width: 60)) answers from here on."
    }
    for turn in saved.turns.suffix(2) {
      let question = turn.question.replacing("\n", with: " ")
      text += "\n> " + TerminalText.safe(question, width: max(20, TerminalText.width - 4))
      if !turn.answer.isEmpty { text += answerExcerpt(turn.answer) }
    }
    if saved.unanswered != nil {
      text += "\nThe last question has no answer; /retry asks it again."
    }
    return text
  }

  private func answerExcerpt(_ answer: String) -> String {
    var screen = MarkdownScreen(
      columns: TerminalText.width, usesStyle: console.usesColor, base: .dim)
    let rows = (screen.feed(answer) + screen.finish()).split(
      separator: "\n", omittingEmptySubsequences: false)
    let shown = rows.prefix(4).map { "\n" + $0 }.joined()
    return shown + (rows.count > 4 ? "\n…" : "")
  }
}
