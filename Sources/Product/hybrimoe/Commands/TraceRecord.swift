import ArgumentParser

/// Continues a text and records which experts each token is routed to.
struct TraceRecord: LookingCommand {
  static let configuration = CommandConfiguration(
    commandName: "record",
    abstract: "Continue a text, and record which experts each token is routed to.",
    discussion: """
      The same as 'run --record-trace FILE', without printing the continuation. The trace holds the \
      chosen experts, their weights, the scores of all experts and what each layer foresees of the \
      next three; 'trace show', 'trace stats' and 'simulate --trace' read it.
      """)

  @OptionGroup(title: "Model") var model: ModelOptions
  @OptionGroup(title: "Text") var prompt: PromptOptions
  @OptionGroup(title: "Context") var context: ContextOptions
  @OptionGroup var generation: GenerationOptions
  @OptionGroup(title: "Machine") var machine: MachineOptions
  @OptionGroup(title: "Looking") var looking: LookingOptions

  @Option(
    name: [.short, .long], parsing: .unconditional,
    help: .init("The trace; packed where the name ends in .gz.", valueName: "file"))
  var output: String

  func run() throws {
    guard output != "-" || !looking.json else {
      throw ValidationError("With --json, standard output is taken; name a file with --output.")
    }
    let continuation = Continuation(
      model: model, prompt: prompt, context: context, generation: generation, machine: machine,
      looking: looking)
    try continuation.run(recordingTo: output, shows: looking.json)
  }
}
