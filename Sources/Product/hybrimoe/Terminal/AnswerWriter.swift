/// Shows an answer while it comes, and keeps the first failure of the stream.
///
/// On a terminal no control characters of the model get through; in a file the text is exact.
final class AnswerWriter {
  private let stream: OutputStream?
  private let isTerminal: Bool
  private let willWrite: () -> Void
  private(set) var failure: (any Error)?
  private var endsWithLineBreak = true

  /// - Parameters:
  ///   - stream: where to; nil shows nothing.
  ///   - willWrite: called before each text, to take a progress line away.
  init(_ stream: OutputStream?, willWrite: @escaping () -> Void = {}) {
    self.stream = stream
    isTerminal = stream?.isTerminal ?? false
    self.willWrite = willWrite
  }

  func write(_ text: String) {
    guard let stream, failure == nil, !text.isEmpty else { return }
    willWrite()
    do {
      try stream.write(isTerminal ? TerminalText.harmless(text) : text)
    } catch {
      failure = error
    }
    endsWithLineBreak = text.hasSuffix("\n")
  }

  /// Ends the line on a terminal, where the text did not, and reports a failure of the stream.
  func finish(alwaysBreakingLine: Bool = false) throws {
    if alwaysBreakingLine || (isTerminal && !endsWithLineBreak) { write("\n") }
    if let failure { throw failure }
  }

  /// Whether the stream takes no more, so that the answer should end.
  var hasFailed: Bool { failure != nil }
}
