import ArgumentParser
import ExpertSimulation

/// Plays routing on a machine that is nothing but costs.
struct Simulate: LookingCommand {
  static let configuration = CommandConfiguration(
    abstract: "Simulate a model on a machine: how fast, against what bound, and why.",
    discussion: """
      The routing is a recorded trace, or made up from a seed as the model's router behaves. Each \
      scheduler's name stands for its whole system (cache, prefetching, first residents); \
      --eviction, --admission and --prefetch-size change parts of it. Several names, separated by \
      commas, are compared. The same input gives the same output, to the last digit.

      --paper plays the whole evaluation of the HybriMoE paper instead, on the machine 'paper', and \
      shows the published figures beside its own; with --fit it fits the few figures of that machine \
      that the paper does not give, and changes no file.
      """)

  @Option(
    parsing: .unconditional,
    help: .init("A known model's shape, or a JSON file.", valueName: "name"))
  var shape: String?

  @Option(
    parsing: .unconditional,
    help: .init(
      "A machine such as rtx-4090 or rtx-4090+ddr4, or a JSON file.", valueName: "name"))
  var machine: String?

  @Option(parsing: .unconditional, help: .init("A recorded trace to play.", valueName: "file"))
  var trace: String?

  @Option(
    parsing: .unconditional,
    help: .init("What decides made-up routing (default: 1).", valueName: "number"))
  var seed: UInt64?

  @Option(
    parsing: .unconditional,
    help: .init("Tokens of the made-up prompt (default: 128).", valueName: "tokens"))
  var promptTokens: Int?

  @Option(
    parsing: .unconditional,
    help: .init("Tokens of the made-up answer (default: 64).", valueName: "tokens"))
  var decodeTokens: Int?

  @Option(
    parsing: .unconditional,
    help: .init("Write every layer's operations, one JSON line each.", valueName: "file"))
  var plans: String?

  @Flag(help: "Check every plan before it is performed.") var check = false
  @Flag(help: "Play the evaluation of the HybriMoE paper.") var paper = false
  @Flag(help: "With --paper: fit the machine's free figures to the paper's ablation.") var fit =
    false

  @OptionGroup(title: "System") var system: SimulationOptions
  @OptionGroup(title: "Looking") var looking: LookingOptions
  @OptionGroup(title: "Looking") var timeline: TimelineOptions

  func validate() throws {
    guard paper else {
      if fit { throw ValidationError("--fit belongs to --paper.") }
      return try validateRun()
    }
    let others: [(String, Bool)] = [
      ("--shape", shape != nil), ("--trace", trace != nil), ("--plans", plans != nil),
      ("--prompt-tokens", promptTokens != nil), ("--cache-ratio", system.cacheRatio != nil),
      ("--cache-size", system.cacheSize != nil), ("--eviction", system.eviction != nil),
      ("--admission", system.admission != nil), ("--prefetch-size", system.prefetchSize != nil),
      ("--scheduler", system.scheduler != nil), ("--timeline-svg", timeline.timelineSvg != nil),
      ("--timeline-chrome", timeline.timelineChrome != nil),
    ]
    if let other = others.first(where: \.1) {
      throw ValidationError("--paper says itself what is played; leave out \(other.0).")
    }
  }

  private func validateRun() throws {
    guard shape != nil else {
      throw ValidationError(
        "Give --shape, such as --shape qwen2-57b-a14b; 'hybrimoe simulate --help' tells more.")
    }
    if trace != nil, seed != nil || promptTokens != nil || decodeTokens != nil {
      throw ValidationError(
        "--trace plays what was recorded; leave out --seed, --prompt-tokens and --decode-tokens.")
    }
    for (name, value) in [("--prompt-tokens", promptTokens), ("--decode-tokens", decodeTokens)] {
      if let value, !(0...1_000_000).contains(value) {
        throw ValidationError("\(name) is \(value), but must be from 0 to 1000000 tokens.")
      }
    }
    let files = (plans.map { [("--plans", $0)] } ?? []) + timeline.files
    if system.names.count > 1, let file = files.first {
      throw ValidationError("\(file.0) shows one run; name one scheduler.")
    }
    try OutputChoice.check(files, input: trace.map { ("--trace", $0) })
  }

  func run() throws {
    let console = looking.console
    if paper { return try PaperRun(self).run(console) }
    try SimulationRun(self).run(console)
  }
}
