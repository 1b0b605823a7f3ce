import ArgumentParser
import Glibc
import OrderedJSON

/// Reads questions from standard input and writes answers to standard output.
///
/// On a terminal there is a prompt, and what goes wrong ends one answer only. From a file or a pipe
/// each line is a question, and the first failure ends the command.
struct ChatLoop {
  let conversation: Conversation
  let keeper: ConversationKeeper
  let console: Console
  let looking: LookingOptions
  let options: ChatOptions
  let isInteractive = isatty(0) == 1
  /// The line editor; nil where lines come from elsewhere or the terminal cannot show it.
  let prompt: PromptReader?
  var lines = LineReader()
  var turns: [JSONValue] = []
  var lastReport: GenerationReport?

  /// Talks until the end of input or `/quit`.
  mutating func run(first question: String?) throws {
    Interrupts.deferToPolling()
    do {
      try talk(first: question)
    } catch {
      // A failure must not take the answers before it along; it is told after them.
      if !turns.isEmpty { try? writeTurns() }
      throw error
    }
    try writeTurns()
  }

  private mutating func talk(first question: String?) throws {
    if let question {
      if isInteractive {
        let shown = TerminalText.safe(question.replacing("\n", with: " "), width: 300)
        tell("> " + shown, indent: 2)
      }
      try attempt { try $0.answer(question) }
    }
    while let input = try nextInput(), input != .quit {
      try attempt { try $0.handle(input) }
    }
  }

  private func writeTurns() throws {
    guard looking.json else { return }
    let object = JSONValue.object([("turns", .array(turns))])
    try OutputStream.standardOutput.write(object.text + "\n")
  }

  /// Does one thing; on a terminal its failure is told and the talk goes on.
  private mutating func attempt(_ action: (inout ChatLoop) throws -> Void) throws {
    do {
      try action(&self)
    } catch  where isInteractive && !(error is ExitCode) {
      console.fail("\(error)")
    }
  }

  /// The next line, or nil at the end of input.
  private mutating func nextInput() throws -> ChatInput? {
    while true {
      switch try nextLine() {
      case .text(let line): return ChatInput(line)
      case .notUTF8: try refuseLine("A line on standard input is not UTF-8 text.")
      case .cut:
        try refuseLine(
          "The terminal cuts lines at \(LineReader.terminalLimit) bytes, so the end of this question "
            + "is lost and it was not asked. Give a long one with --file FILE or through a pipe.")
      case .interrupted:
        guard prompt != nil || Interrupts.take() else { continue }
        guard isInteractive else { throw ExitCode(Interrupts.exitCode) }
        try OutputStream.standardError.write("(/quit or Ctrl-D leaves)\n")
      case .end: return nil
      }
    }
  }

  private mutating func nextLine() throws -> LineReader.Line {
    if let prompt { return try prompt.next() }
    guard isInteractive else { return try lines.next() }
    try OutputStream.standardError.write("> ")
    let line = try lines.next()
    switch line {
    case .text(let text): return .text(TerminalText.typed(text))
    // The terminal has not gone to the next line.
    case .interrupted, .end: try OutputStream.standardError.write("\n")
    case .notUTF8, .cut: break
    }
    return line
  }

  /// Tells why a line is no question; on a terminal the next one may be.
  private func refuseLine(_ reason: String) throws {
    guard isInteractive else { throw CommandFailure(reason) }
    console.fail(reason)
  }
}
