import ArgumentParser
import OrderedJSON
import TextColumns

// Asking the model.
extension ChatLoop {
  /// Asks a question and shows the answer.
  ///
  /// - Parameter isRetry: whether the question was asked before, so that its last answer goes.
  mutating func answer(_ question: String, isRetry: Bool = false) throws {
    // An interrupt that came between two lines must not end the next answer.
    if Interrupts.take(), !isInteractive { throw ExitCode(Interrupts.exitCode) }
    let progress = console.progress("Reading the question")
    defer { progress.finish() }
    let view = AnswerView(
      looking.json ? nil : .standardOutput, look: options.look(looking),
      meter: prompt?.meter ?? ColumnMeter(), willWrite: progress.finish)
    keeper.add(isRetry ? .retry : .question(question))
    let report: GenerationReport
    do {
      report = try conversation.ask(
        question, to: LiveAnswer(view: view, keeper: keeper, prompt: prompt), progress: progress)
    } catch {
      keeper.add(.end(reason: "failed"))
      // What went wrong is said on a line of its own.
      progress.finish()
      try? view.finish()
      throw error
    }
    keeper.add(.end(reason: report.result.stopReason.rawValue))
    progress.finish()
    try view.finish()
    lastReport = report
    if looking.json {
      turns.append(.object([("question", .string(question))] + report.members))
    }
    try tell(report)
  }

  /// Says what is to be said of an answer behind it.
  private func tell(_ report: GenerationReport) throws {
    let remedy =
      "/reset forgets the conversation; a larger --context, where the model allows it, "
      + "holds a longer one"
    if let warning = report.warning(remedy: remedy) { console.warn(warning) }
    if looking.stats {
      console.note(report.words)
    } else if isInteractive, !options.noFigures, !looking.json, console.stream.isTerminal {
      let line = TerminalText.wrapped(report.line, width: TerminalInput.size.columns - 1)
      console.aside(String(line.dropLast()))
    }
    if report.result.stopReason == .cancelled {
      _ = Interrupts.take()
      guard isInteractive else { throw ExitCode(Interrupts.exitCode) }
    }
  }
}

/// An answer that is being written: kept first, then shown.
private final class LiveAnswer: AnswerReceiver {
  private let view: AnswerView
  private let keeper: ConversationKeeper
  private let prompt: PromptReader?

  init(view: AnswerView, keeper: ConversationKeeper, prompt: PromptReader?) {
    self.view = view
    self.keeper = keeper
    self.prompt = prompt
  }

  func take(_ piece: AnswerPiece) {
    switch piece {
    case .reasoning(let text): if !text.isEmpty { keeper.add(.reasoning(text)) }
    case .answer(let text): if !text.isEmpty { keeper.add(.answer(text)) }
    }
    view.show(piece)
  }

  func shouldStop() -> Bool {
    // What is typed meanwhile is for the next prompt.
    prompt?.drain()
    return view.hasFailed
  }
}
