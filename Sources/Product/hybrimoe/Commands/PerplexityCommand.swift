import ArgumentParser
import Inference
import OrderedJSON

/// Tells how well a model predicts a text.
struct PerplexityCommand: LookingCommand {
  static let configuration = CommandConfiguration(
    commandName: "perplexity",
    abstract: "Tell how well the model predicts a text.",
    discussion: """
      The text is cut into windows of --context tokens (default: 512, or the model's context where \
      that is shorter) that overlap by half. Lower is better; 1 is perfect.
      """)

  @OptionGroup(title: "Model") var model: ModelOptions
  @OptionGroup(title: "Text") var prompt: PromptOptions
  @OptionGroup(title: "Context") var context: ContextOptions
  @OptionGroup(title: "Machine") var machine: MachineOptions
  @OptionGroup(title: "Looking") var looking: LookingOptions

  func run() throws {
    let console = looking.console
    context.noteUnusedTemplate(console)
    let text = try prompt.nonEmptyText()
    let engine = try ComputeEngine(machine, console: console)
    let loaded = try model.load(
      machine, deviceByteCount: engine.deviceByteCount, console: console)
    let modelContext = loaded.hyperparameters.contextLength
    if let asked = context.context, asked < 4 {
      throw ValidationError(
        "--context is \(asked), but must be from 4 to \(modelContext) tokens for this model.")
    }
    let window = context.context ?? min(512, modelContext)
    let runner = try engine.runner(
      loaded.model, SessionOptions(context, machine, contextLength: window))
    let tokenizer = loaded.tokenizer
    let tokens = tokenizer.encode(text)
    // Windows overlap by half, so each but the first brings half a window of new tokens.
    let windows = max(1, (tokens.count - window) / max(1, window / 2) + 2)
    let progress = LayerProgress(
      console.progress("Computing"), model: loaded,
      passes: windows * LayerProgress.passes(tokens: min(window, tokens.count)))
    Interrupts.deferToPolling()
    let perplexity: Perplexity
    do {
      perplexity = try Perplexity(
        of: tokens, runner: runner, windowLength: window,
        begin: tokenizer.addsBOS ? tokenizer.bosToken : nil,
        isCancelled: progress.advanceAndAsk)
    } catch InferenceError.cancelled {
      progress.finish()
      throw ExitCode(Interrupts.exitCode)
    }
    progress.finish()
    let output = OutputStream.standardOutput
    if looking.json {
      let object = JSONValue.object([
        ("perplexity", .double(perplexity.value)),
        ("standardError", .double(perplexity.valueError)),
        ("meanNegativeLogLikelihood", .double(perplexity.meanNegativeLogLikelihood)),
        ("tokens", .integer(perplexity.scoredTokenCount)), ("context", .integer(window)),
      ])
      try output.write(object.text + "\n")
    } else {
      try output.write(
        "perplexity \(HumanUnits.fixed(perplexity.value, 4)) "
          + "± \(HumanUnits.fixed(perplexity.valueError, 4)), "
          + "\(perplexity.scoredTokenCount) tokens, context \(window)\n")
    }
  }
}
