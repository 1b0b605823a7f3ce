import MarkdownScreens
import TextColumns

/// Shows an answer while it comes, and keeps the first failure of the stream.
///
/// A terminal gets it laid out, without anything that would steer it; elsewhere the text is exact, and
/// what the model thinks before it answers is left out.
final class AnswerView {
  enum Look: Equatable {
    case exact
    /// Marks of Markdown become styles, or stay where there are none.
    case laidOut(usesStyle: Bool)
  }

  private let stream: OutputStream?
  private let look: Look
  private let willWrite: () -> Void
  private(set) var failure: (any Error)?
  private var reasoning: MarkdownScreen
  private var answer: MarkdownScreen
  private var isReasoning = false
  private var endsWithLineBreak = true

  /// - Parameters:
  ///   - stream: where to; nil shows nothing.
  ///   - meter: how the terminal counts columns.
  ///   - willWrite: called before each text, to take a progress line away.
  init(
    _ stream: OutputStream?, look: Look, meter: ColumnMeter = .init(),
    willWrite: @escaping () -> Void = {}
  ) {
    self.stream = stream
    self.look = look
    self.willWrite = willWrite
    let columns = TerminalText.width
    let usesStyle = look == .laidOut(usesStyle: true)
    reasoning = MarkdownScreen(columns: columns, usesStyle: usesStyle, base: .dim, meter: meter)
    answer = MarkdownScreen(columns: columns, usesStyle: usesStyle, meter: meter)
  }

  func show(_ piece: AnswerPiece) {
    switch (look, piece) {
    case (.exact, .reasoning): break
    case (.exact, .answer(let text)):
      write(stream?.isTerminal == true ? TerminalText.harmless(text) : text)
    case (.laidOut(let usesStyle), .reasoning(let text)):
      if !isReasoning, !usesStyle { write("(thinking)\n") }
      isReasoning = true
      reasoning.columns = TerminalText.width
      write(reasoning.feed(text))
    case (.laidOut, .answer(let text)):
      endReasoning(before: text)
      answer.columns = TerminalText.width
      write(answer.feed(text))
    }
  }

  /// Shows what is held back, ends the line, and reports a failure of the stream.
  func finish() throws {
    if case .laidOut = look {
      if isReasoning { write(reasoning.finish()) }
      write(answer.finish())
      if !endsWithLineBreak { write("\n") }
    } else {
      write("\n")
    }
    if let failure { throw failure }
  }

  /// Whether the stream takes no more, so that the answer should end.
  var hasFailed: Bool { failure != nil }

  private func endReasoning(before text: String) {
    guard isReasoning, text.contains(where: { !$0.isWhitespace }) else { return }
    isReasoning = false
    write(reasoning.finish())
    write(look == .laidOut(usesStyle: true) ? "\n\n" : "\n\n(answer)\n")
  }

  private func write(_ text: String) {
    guard let stream, failure == nil, !text.isEmpty else { return }
    willWrite()
    do {
      try stream.write(text)
    } catch {
      failure = error
    }
    endsWithLineBreak = text.hasSuffix("\n")
  }
}
