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
  private var screen: MarkdownScreen
  /// Whether what is on the screen last is thoughts; nil before anything is.
  private var isReasoning: Bool?
  private let meter: ColumnMeter
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
    self.meter = meter
    screen = MarkdownScreen(columns: TerminalText.width, usesStyle: false)
  }

  func show(_ piece: AnswerPiece) {
    switch (look, piece) {
    case (.exact, .reasoning): break
    case (.exact, .answer(let text)):
      write(stream?.isTerminal == true ? TerminalText.harmless(text) : text)
    case (.laidOut(let usesStyle), .reasoning(let text)):
      layOut(text, isReasoning: true, usesStyle: usesStyle)
    case (.laidOut(let usesStyle), .answer(let text)):
      layOut(text, isReasoning: false, usesStyle: usesStyle)
    }
  }

  private func layOut(_ text: String, isReasoning: Bool, usesStyle: Bool) {
    if self.isReasoning != isReasoning {
      // White space alone is between thoughts and answer anyway.
      guard text.contains(where: { !$0.isWhitespace }) else { return }
      if self.isReasoning != nil { write(screen.finish() + "\n\n") }
      if !usesStyle, isReasoning { write("(thinking)\n") }
      if !usesStyle, self.isReasoning == true { write("(answer)\n") }
      self.isReasoning = isReasoning
      screen = MarkdownScreen(
        columns: TerminalText.width, usesStyle: usesStyle, base: isReasoning ? .dim : [],
        meter: meter)
    }
    screen.columns = TerminalText.width
    write(screen.feed(text))
  }

  /// Shows what is held back, ends the line, and reports a failure of the stream.
  func finish() throws {
    if case .laidOut = look {
      write(screen.finish())
      if !endsWithLineBreak { write("\n") }
    } else {
      write("\n")
    }
    if let failure { throw failure }
  }

  /// Whether the stream takes no more, so that the answer should end.
  var hasFailed: Bool { failure != nil }

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
