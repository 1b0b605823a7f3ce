import Downloads
import Synchronization

/// Shows how a download goes: one line that changes on a terminal, a line now and then elsewhere.
///
/// Events come from the threads that download; the lines are written by the one that calls `refresh`.
final class PullDisplay: Sendable {
  private struct State {
    var pace = DownloadPace()
    var pendingNotes: [String] = []
    var isLineShown = false
    var lastShown: ContinuousClock.Instant?
  }

  private let console: Console
  private let reference: String
  private let showsLine: Bool
  private let state = Mutex(State())

  init(console: Console, reference: String) {
    self.console = console
    self.reference = reference
    showsLine = !console.isJSON && console.level >= .info && console.stream.isTerminal
  }

  /// Takes in what happened.
  @Sendable func tell(_ event: DownloadEvent) {
    state.withLock { state in
      if let note = state.pace.take(event, at: ContinuousClock.now) {
        state.pendingNotes.append(note)
      }
    }
  }

  /// Says what will be downloaded.
  func begin(_ files: [RemoteFile]) {
    state.withLock { $0.pace.begin(files) }
  }

  /// Writes what has changed.
  func refresh() {
    let now = ContinuousClock.now
    let interval: Duration = showsLine ? .milliseconds(200) : .seconds(30)
    let (notes, line, hadLine) = state.withLock { state in
      let notes = state.pendingNotes
      state.pendingNotes = []
      let hadLine = state.isLineShown
      let isDue = state.lastShown.map { $0.duration(to: now) >= interval } ?? true
      let width = showsLine ? TerminalText.width : 200
      let line =
        isDue || (showsLine && !notes.isEmpty) ? state.pace.line(at: now, width: width) : nil
      if line != nil { state.lastShown = now }
      state.isLineShown = showsLine && (line != nil || (hadLine && notes.isEmpty))
      return (notes, line, hadLine)
    }
    if hadLine, !notes.isEmpty { try? console.stream.write("\r\u{1B}[K") }
    for note in notes { console.note(note) }
    guard let line else { return }
    if showsLine {
      try? console.stream.write("\r\u{1B}[K" + line)
    } else {
      console.note(line)
    }
  }

  /// Writes what is left to say, and takes the line away.
  func end() {
    let (notes, hadLine) = state.withLock { state in
      defer {
        state.pendingNotes = []
        state.isLineShown = false
      }
      return (state.pendingNotes, state.isLineShown)
    }
    if hadLine { try? console.stream.write("\r\u{1B}[K") }
    for note in notes { console.note(note) }
  }
}
