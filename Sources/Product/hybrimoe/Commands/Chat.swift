import ArgumentParser
import GGUF
import Glibc
import Inference

/// Talks with a model.
struct Chat: LookingCommand {
  static let configuration = CommandConfiguration(
    abstract: "Talk with the model (default).",
    discussion: """
      Type a question and press Enter; /help lists what else can be typed, Ctrl-C stops an answer, \
      Ctrl-D leaves. Conversations are kept, also when the program is killed: --resume goes on. \
      From a pipe each line is a question; answers go to standard output. With \
      --prompt or --file, that is the first question.
      """)

  @OptionGroup(title: "Model") var model: ModelOptions
  @OptionGroup(title: "First question") var prompt: PromptOptions

  @Option(
    parsing: .unconditional,
    help: .init("The system message, which tells the model how to answer.", valueName: "text"))
  var system: String?

  @OptionGroup(title: "Conversation") var chat: ChatOptions
  @OptionGroup(title: "Context") var context: ContextOptions
  @OptionGroup var generation: GenerationOptions
  @OptionGroup(title: "Machine") var machine: MachineOptions
  @OptionGroup(title: "Looking") var looking: LookingOptions
  @OptionGroup(title: "Looking") var recording: RecordingOptions

  func run() throws {
    let console = looking.console
    let question = prompt.isGiven ? try prompt.nonEmptyText() : nil
    let resumed = try chat.resumed()
    let isInteractive = isatty(0) == 1
    let reader =
      TerminalMode.isPossible ? PromptReader(console, keepsHistory: !chat.noSave) : nil
    let engine = try ComputeEngine(machine, timeline: recording.timeline, console: console)
    let loaded = try model.load(
      machine, deviceByteCount: engine.deviceByteCount, console: console)
    let format = try context.conversationFormat(of: loaded)
    let session = try engine.session(loaded, SessionOptions(context, machine))
    let trace = try recording.recordTrace.map { try TraceRecording($0, of: session) }
    let conversation = try Conversation(
      session: session, engine: engine, format: format, generation: generation, system: system)
    // What comes from a pipe is there already; only what a person types would be lost.
    let keepsConversation = !chat.noSave && (isInteractive || resumed != nil)
    let keeper = ConversationKeeper(
      model: Self.name(session), folder: keepsConversation ? chat.folder : nil, warn: console.warn)
    if let system { keeper.add(.system(system)) }
    var loop = ChatLoop(
      conversation: conversation, keeper: keeper, console: console, looking: looking,
      options: chat, prompt: reader)
    if isInteractive { loop.tell(Self.greeting(session, engine)) }
    if let resumed { try loop.resume(resumed.saved, path: resumed.path, system: system) }
    try engine.finishing(loaded.hyperparameters) {
      try TraceRecording.ending(trace, on: console) { try loop.run(first: question) }
    }
  }

  private static func name(_ session: GenerationSession) -> String {
    let hyperparameters = session.loaded.hyperparameters
    return hyperparameters.name ?? hyperparameters.architecture
  }

  private static func greeting(_ session: GenerationSession, _ engine: ComputeEngine) -> String {
    let device = engine.live.map { "on \($0.title)" } ?? "on the CPU"
    return "\(TerminalText.safe(name(session), width: 60)) \(device), context "
      + "\(session.contextLength). /help lists commands, Ctrl-D leaves."
  }
}

extension ContextOptions {
  /// The format of the template that the user gave, or of the model's own.
  func conversationFormat(of loaded: LoadedModel) throws -> ConversationFormat {
    try ConversationFormat(
      template: Self.template(chatTemplateFile, in: loaded.file), tokenizer: loaded.tokenizer)
  }

  /// The text of the template in a file, or else of a model's own.
  static func template(_ path: String?, in file: GGUFFile) throws -> String {
    if let path { return try InputFile.description(path) }
    guard let template = try file.metadata.stringIfPresent("tokenizer.chat_template") else {
      throw ConversationFormatError.noTemplate
    }
    return template
  }
}
