import ArgumentParser
import Inference

/// Talks with a model.
struct Chat: LookingCommand {
  static let configuration = CommandConfiguration(
    abstract: "Talk with the model (default).",
    discussion: """
      Type a question and press Enter; /help lists what else can be typed, Ctrl-C stops an answer, \
      Ctrl-D leaves. From a pipe each line is a question; answers go to standard output. With \
      --prompt or --file, that is the first question.
      """)

  @OptionGroup(title: "Model") var model: ModelOptions
  @OptionGroup(title: "First question") var prompt: PromptOptions

  @Option(
    parsing: .unconditional,
    help: .init("The system message, which tells the model how to answer.", valueName: "text"))
  var system: String?

  @OptionGroup(title: "Context") var context: ContextOptions
  @OptionGroup(title: "Generation") var generation: GenerationOptions
  @OptionGroup(title: "Machine") var machine: MachineOptions
  @OptionGroup(title: "Looking") var looking: LookingOptions
  @OptionGroup(title: "Looking") var recording: RecordingOptions

  @Flag(help: .hidden) var resume = false

  func validate() throws {
    if resume { throw ValidationError("--resume is not in this version.") }
  }

  func run() throws {
    let console = looking.console
    let question = prompt.isGiven ? try prompt.nonEmptyText() : nil
    let reader = TerminalMode.isPossible ? PromptReader(console) : nil
    let engine = try ComputeEngine(machine, timeline: recording.timeline, console: console)
    let loaded = try model.load(
      machine, deviceByteCount: engine.deviceByteCount, console: console)
    let format = try context.promptFormat(of: loaded)
    let session = try engine.session(loaded, SessionOptions(context, machine))
    let trace = try recording.recordTrace.map { try TraceRecording($0, of: session) }
    let conversation = try Conversation(
      session: session, engine: engine, format: format, generation: generation, system: system)
    var loop = ChatLoop(conversation, prompt: reader, console: console, looking: looking)
    if loop.isInteractive { console.note(Self.greeting(session)) }
    try engine.finishing(loaded.hyperparameters) {
      try TraceRecording.ending(trace, on: console) { try loop.run(first: question) }
    }
  }

  private static func greeting(_ session: GenerationSession) -> String {
    let hyperparameters = session.loaded.hyperparameters
    let name = hyperparameters.name ?? hyperparameters.architecture
    return "\(TerminalText.safe(name, width: 60)), context \(session.contextLength) tokens. "
      + "/help lists commands, Ctrl-D leaves."
  }
}

extension ContextOptions {
  /// The format of the template that the user gave, or of the model's own.
  func promptFormat(of loaded: LoadedModel) throws -> PromptFormat {
    if let chatTemplateFile { return try PromptFormat(template: InputFile.text(chatTemplateFile)) }
    guard let template = try loaded.file.metadata.stringIfPresent("tokenizer.chat_template") else {
      throw PromptFormatError.noTemplate
    }
    return try PromptFormat(template: template)
  }
}
