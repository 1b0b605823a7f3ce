import ArgumentParser
import Inference
import Sampling

/// Shows the model's scores behind given tokens, for comparing with other programs.
struct Logits: LookingCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show the model's scores behind a text, and the experts of each token.",
    discussion: "The key-value cache is F32 here unless --kv-type says otherwise.")

  @OptionGroup(title: "Model") var model: ModelOptions
  @OptionGroup(title: "Text") var prompt: PromptOptions

  @Option(
    parsing: .unconditional, help: .init("The token numbers: 8,56,166.", valueName: "numbers"))
  var tokens: TokenList?

  @Option(
    parsing: .unconditional,
    help: .init("Then this many tokens, always the likeliest.", valueName: "tokens"))
  var greedy = 0

  @OptionGroup(title: "Context") var context: ContextOptions
  @OptionGroup(title: "Machine") var machine: MachineOptions
  @OptionGroup(title: "Looking") var looking: LookingOptions

  func validate() throws {
    guard greedy >= 0 else {
      throw ValidationError("--greedy is \(greedy), but must be at least 0.")
    }
    guard tokens == nil || (prompt.prompt == nil && prompt.file == nil) else {
      throw ValidationError("Give --tokens or a text, not both.")
    }
  }

  func run() throws {
    guard tokens != nil || prompt.isGiven else {
      throw ValidationError(
        "Give the tokens with --tokens, or a text with --prompt or --file; --file - reads standard "
          + "input.")
    }
    let console = looking.console
    context.noteUnusedTemplate(console)
    let text = try tokens == nil ? prompt.nonEmptyText() : nil
    let engine = try ComputeEngine(machine, console: console)
    let loaded = try model.load(
      machine, deviceByteCount: engine.deviceByteCount, console: console)
    let input = tokens?.tokens ?? loaded.tokenizer.beginning(text ?? "", parseSpecial: true)
    let runner = try engine.runner(
      loaded.model, SessionOptions(context, machine, keyValueType: .f32))
    guard greedy <= runner.contextLength else {
      throw CommandFailure(
        "--greedy \(greedy) does not fit the context of \(runner.contextLength) tokens.")
    }
    let recorder = RoutingRecorder()
    let progress = LayerProgress(
      console.progress("Computing"), model: loaded,
      passes: LayerProgress.passes(tokens: input.count) + max(0, greedy - 1))
    // Never stops: an interrupt ends the program at once here.
    let advance = {
      progress.advance()
      return false
    }
    let logits = try runner.accept(input, observer: recorder, isCancelled: advance)
    var continuation: [Int] = []
    var next = logits
    while continuation.count < greedy {
      let token = try Sampler.best(of: next.span)
      continuation.append(token)
      if continuation.count < greedy {
        next = try runner.accept([token], phase: .decode, isCancelled: advance)
      }
    }
    progress.finish()
    try show(
      logits, continuation, recorder.experts, tokenCount: input.count, tokenizer: loaded.tokenizer)
  }
}
