import ArgumentParser
import Inference
import OrderedJSON
import Sampling

/// Continues a text.
struct Run: LookingCommand {
  static let configuration = CommandConfiguration(
    abstract: "Continue a text.",
    discussion: """
      The text is taken as it is, without a chat format; control tokens that are written in it, \
      such as <|im_end|>, are read as such. Only the continuation is printed.
      """)

  @OptionGroup(title: "Model") var model: ModelOptions
  @OptionGroup(title: "Text") var prompt: PromptOptions
  @OptionGroup(title: "Context") var context: ContextOptions
  @OptionGroup var generation: GenerationOptions
  @OptionGroup(title: "Generation") var probabilities: ProbabilityOptions
  @OptionGroup(title: "Machine") var machine: MachineOptions
  @OptionGroup(title: "Looking") var looking: LookingOptions
  @OptionGroup(title: "Looking") var recording: RecordingOptions

  func validate() throws {
    guard probabilities.logprobs == nil || looking.json else {
      throw ValidationError("--logprobs has no place in plain text; add --json.")
    }
  }

  func run() throws {
    let continuation = Continuation(
      model: model, prompt: prompt, context: context, generation: generation, machine: machine,
      looking: looking, logprobs: probabilities.logprobs, timeline: recording.timeline)
    try continuation.run(recordingTo: recording.recordTrace, shows: true)
  }
}

/// What `run` alone tells of the tokens.
struct ProbabilityOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: .init(
      "With --json: the model's own log-probability of each token, and of this many of the "
        + "likeliest.", valueName: "tokens"))
  var logprobs: Int?

  func validate() throws {
    if let logprobs, logprobs < 0 {
      throw ValidationError("--logprobs is \(logprobs), but must be at least 0.")
    }
  }
}

/// The continuation of a text, and what is shown and recorded of it.
struct Continuation {
  let model: ModelOptions
  let prompt: PromptOptions
  let context: ContextOptions
  let generation: GenerationOptions
  let machine: MachineOptions
  let looking: LookingOptions
  /// How many of the likeliest tokens the report tells beside each; nil: no probabilities.
  var logprobs: Int?
  var timeline: TimelineOptions?

  /// - Parameter shows: whether the text, or with `--json` the report, goes to standard output.
  func run(recordingTo path: String?, shows: Bool) throws {
    let console = looking.console
    context.noteUnusedTemplate(console)
    let text = try prompt.nonEmptyText()
    let engine = try ComputeEngine(machine, timeline: timeline, console: console)
    let loaded = try model.load(
      machine, deviceByteCount: engine.deviceByteCount, console: console)
    let sampling = try generation.settings(loaded.file.metadata)
    let session = try engine.session(loaded, SessionOptions(context, machine))
    let recording = try path.map { try TraceRecording($0, of: session) }
    try engine.finishing(loaded.hyperparameters) {
      try TraceRecording.ending(recording, on: console) {
        try `continue`(text, session, sampling, engine, shows: shows, console)
      }
    }
  }

  private func `continue`(
    _ text: String, _ session: GenerationSession, _ sampling: SamplingSettings,
    _ engine: ComputeEngine, shows: Bool, _ console: Console
  ) throws {
    let loaded = session.loaded
    let tokens = loaded.tokenizer.beginning(text, parseSpecial: true)
    let progress = session.progress(console.progress("Reading the prompt"), prompt: tokens)
    let writer = AnswerWriter(
      shows && !looking.json ? .standardOutput : nil, willWrite: progress.finish)
    Interrupts.deferToPolling()
    let result: GenerationResult
    do {
      result = try session.generate(
        prompt: tokens, sampling: sampling, topLogProbabilities: logprobs,
        maximumTokens: generation.maxTokens, stop: generation.stop,
        isCancelled: { progress.advanceAndAsk() || writer.hasFailed }, onText: writer.write)
    } catch {
      // What went wrong is said on a line of its own.
      progress.finish()
      try? writer.finish()
      throw error
    }
    progress.finish()
    try writer.finish()
    let report = GenerationReport(
      result, sampling: sampling, contextLength: session.contextLength,
      figures: engine.live?.figures)
    if shows, looking.json {
      var members = report.members
      if logprobs != nil {
        let probabilities = result.logProbabilities.map { $0.json(loaded.tokenizer) }
        members.append(("logprobs", .array(probabilities)))
      }
      try OutputStream.standardOutput.write(JSONValue.object(members).text + "\n")
    }
    let remedy = "raise --context where the model allows it, or shorten the text"
    if let warning = report.warning(remedy: remedy) { console.warn(warning) }
    if looking.stats { console.note(report.words) }
    if result.stopReason == .cancelled { throw ExitCode(Interrupts.exitCode) }
  }
}
