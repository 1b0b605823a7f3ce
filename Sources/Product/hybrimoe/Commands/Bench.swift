import ArgumentParser
import CPUCompute
import ExpertScheduling
import HostMemory
import Inference

/// Measures the speed of prompts and of generation.
struct Bench: LookingCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure prompt and generation speed.",
    discussion: """
      pp512 is a prompt of 512 tokens read at once, tg64 are 64 tokens generated one by one, each \
      from an empty context; all tests take turns, and tokens/s is the median of the repetitions. \
      GB/s (weights and cached keys and values that were read) and GOPS (products) stand beside what \
      this processor reads and calculates at most, measured in the same run.

      Where a GPU is used, hit rates take the place of those columns, and --compare measures several systems, \
      all of them taking turns: hybrimoe is this program's own, the others do what the systems of their names do. With \
      --shape and --trace or --synthetic it tells what a machine gives before a model is there. With \
      --device emulated all times are modelled.
      """)

  @OptionGroup(title: "Model") var model: ModelOptions

  @Option(
    parsing: .unconditional,
    help: .init("Lengths of prompts (default: 32,128,512).", valueName: "tokens"))
  var promptTokens: TokenList?

  @Option(
    parsing: .unconditional,
    help: .init("Tokens to generate (default: 64; 0 for none).", valueName: "tokens"))
  var generate: Int?

  @Option(parsing: .unconditional, help: .init("Repetitions of each.", valueName: "count"))
  var repetitions = 5

  @Flag(help: "Print comma-separated values on standard output.")
  var csv = false

  @Flag(help: "Show where the time goes, part by part of a layer.")
  var profile = false

  @Option(
    parsing: .unconditional,
    help: .init(
      "Measure made weights of a known shape instead of a file, such as qwen3-30b-a3b: as many "
        + "layers as memory has room for.", valueName: "name"))
  var shape: String?

  @Flag(help: "Measure the kernels of every element type instead of a model.")
  var kernels = false

  @Option(
    parsing: .unconditional,
    help: .init(
      "Systems to measure in turn on the GPU, by their schedulers' names with commas between them, such as "
        + "hybrimoe,ktransformers,adapmoe,all-cpu,all-gpu.", valueName: "names"))
  var compare: Listed<SchedulerName>?

  @OptionGroup var routing: RoutingOptions
  @Option(parsing: .unconditional, help: .hidden) var instructionSet: InstructionSet?
  /// Measures what lines of standard input ask for: see `BenchmarkServer`.
  @Flag(help: .hidden) var serve = false

  @OptionGroup(title: "Context") var context: ContextOptions
  @OptionGroup(title: "Machine") var machine: MachineOptions
  @OptionGroup(title: "Looking") var looking: LookingOptions
  @OptionGroup(title: "Looking") var timeline: TimelineOptions

  func validate() throws {
    try validateComparison()
    try OutputChoice.check(timeline.files, input: routing.trace.map { ("--trace", $0) })
    guard !(csv && looking.json) else { throw ValidationError("Give --csv or --json, not both.") }
    guard (1...1000).contains(repetitions) else {
      throw ValidationError("--repetitions is \(repetitions), but must be from 1 to 1000.")
    }
    guard generate != 0 || promptTokens?.tokens.isEmpty != true else {
      throw ValidationError("There is nothing to measure: no prompt and nothing to generate.")
    }
    if let generate, generate < 0 {
      throw ValidationError(
        "--generate is \(generate), but must be 0 (measure no generation) or more.")
    }
    if let wrong = promptTokens?.tokens.first(where: { $0 < 1 }) {
      throw ValidationError("--prompt-tokens has \(wrong), but each must be at least 1.")
    }
    if let instructionSet, !instructionSet.isAvailable {
      throw ValidationError("This processor has no \(instructionSet.rawValue).")
    }
    let modes = [(kernels, "--kernels"), (profile, "--profile"), (serve, "--serve")].filter(\.0)
    guard modes.count <= 1 else {
      throw ValidationError("Give only one of \(modes.map(\.1).joined(separator: ", ")).")
    }
    guard !(csv && (profile || kernels)) else {
      throw ValidationError("--csv has no columns for this; use --json.")
    }
    guard shape == nil || (model.model == nil && model.ggufPath == nil && !kernels) else {
      throw ValidationError("--shape measures made weights: leave the model and --kernels out.")
    }
    guard shape == nil || machine.weights != .cached else {
      throw ValidationError("--weights cached is for files: made weights are packed or native.")
    }
  }

  func run() throws {
    let console = looking.console
    context.noteUnusedTemplate(console)
    if kernels { return try measureKernels(console) }
    if serve {
      let subject = try subject(console)
      Interrupts.deferToPolling()
      var server = BenchmarkServer(subject, options: try options(length: nil))
      return try server.run()
    }
    // What is wrong with options is said before a model is loaded.
    let engine = try ComputeEngine(machine, timeline: timeline, console: console)
    let subject = try subject(console)
    let longest = context.context ?? subject.model.hyperparameters.contextLength
    // Defaults that do not fit a small model's context are left out; what was asked for is an error.
    let prompts = promptTokens?.tokens ?? [32, 128, 512].filter { $0 <= longest }
    let generated = generate ?? min(64, longest)
    let tests =
      prompts.map { BenchmarkTest(isPrompt: true, tokenCount: $0) }
      + (generated > 0 ? [BenchmarkTest(isPrompt: false, tokenCount: generated)] : [])
    let needed = tests.map(\.tokenCount).max() ?? 1
    let runner = try engine.runner(subject.model, options(length: needed))
    guard needed <= runner.contextLength else {
      throw CommandFailure(
        "A test of \(needed) tokens does not fit the context of \(runner.contextLength) tokens.")
    }
    try OutputStream.standardOutput.write(
      compare == nil && engine.live == nil
        ? text(of: try measure(tests, subject, runner, console))
        : try comparison(tests, subject, runner, engine, console))
    try engine.finish(subject.name)
  }

  private func subject(_ console: Console) throws -> BenchmarkSubject {
    guard let shape else { return BenchmarkSubject(try model.load(machine, console: console)) }
    return try MadeModel.subject(
      shape, layout: machine.weights == .automatic ? .packed : machine.weights, console: console)
  }

  private func options(length: Int?) throws -> SessionOptions {
    var options = SessionOptions(context, machine, contextLength: length ?? 1024)
    options.instructionSet = instructionSet ?? .best
    return options
  }

  private func measure(
    _ tests: [BenchmarkTest], _ subject: BenchmarkSubject, _ runner: SequenceRunner,
    _ console: Console
  ) throws -> BenchmarkReport {
    let passes = tests.reduce(0) {
      $0 + ($1.isPrompt ? LayerProgress.passes(tokens: $1.tokenCount) : $1.tokenCount)
    }
    let progress = LayerProgress(
      console.progress("Measuring"), layerCount: subject.model.hyperparameters.layerCount,
      passes: passes * (repetitions + 2))
    let work = BenchmarkRun(runner: runner, isCancelled: progress.advanceAndAsk)
    let meter = CeilingMeter(runner.compute, memory: try CeilingMemory())
    let profiles = profile ? tests.map { _ in StepProfile() } : nil
    Interrupts.deferToPolling()
    do {
      let measurements = try work.rounds(
        of: tests, repetitions: repetitions, meter: meter, profiles: profiles)
      progress.finish()
      return BenchmarkReport(
        subject, compute: runner.compute, ceilings: meter.ceilings, repetitions: repetitions,
        measurements: measurements, profiles: profiles)
    } catch InferenceError.cancelled {
      progress.finish()
      throw ExitCode(Interrupts.exitCode)
    }
  }

  private func text(of report: BenchmarkReport) -> String {
    looking.json ? report.json.text + "\n" : csv ? report.csv : report.text
  }

  private func measureKernels(_ console: Console) throws {
    let placement = ThreadPlacement(
      .current(), threadCount: machine.threads, affinity: machine.affinity)
    let compute = try CPUBackend(
      threadCount: placement.threadCount, processors: placement.processors,
      instructionSet: instructionSet ?? .best)
    let table = try KernelTable(compute, repetitions: repetitions, console: console)
    try OutputStream.standardOutput.write(
      looking.json ? table.json.text + "\n" : table.text)
  }
}

extension InstructionSet: ExpressibleByArgument {}
