import Inference

/// A routing trace that is written while a session runs.
final class TraceRecording {
  private let file: OutputFile
  private let recorder: TraceRecorder

  /// Creates the file and watches the session from now on.
  ///
  /// - Throws: `CommandFailure` where the file cannot be written.
  init(_ path: String, of session: GenerationSession) throws {
    let file = try OutputFile(path: path)
    self.file = file
    let model = session.loaded.hyperparameters
    recorder = try TraceRecorder(
      session.loaded.model,
      name: model.name ?? model.architecture,
      sink: { text in
        try file.write(text)
        try file.flush()
      })
    session.observer = recorder
  }

  /// Runs something with a recording, if there is one, and ends its file whatever happens: a packed
  /// file without its end would be damaged.
  static func ending(
    _ recording: TraceRecording?, on console: Console, _ body: () throws -> Void
  ) throws {
    do {
      try body()
    } catch {
      // What went wrong first is what the user must hear of.
      try? recording?.finish(console)
      throw error
    }
    try recording?.finish(console)
  }

  /// Ends the file and says what it holds.
  ///
  /// - Throws: what kept a step from being written.
  private func finish(_ console: Console) throws {
    try file.finish()
    if let failure = recorder.failure {
      throw CommandFailure(
        "The trace \(file.path) holds only the first \(recorder.stepCount) steps: \(failure)")
    }
    console.note("\(file.path): \(recorder.stepCount) steps recorded.")
  }
}
