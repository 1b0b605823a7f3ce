import ArgumentParser
import Inference

/// `bench --compare`.
extension Bench {
  /// Refuses what does not go together with `--compare`, or without it.
  func validateComparison() throws {
    let needsGPU = compare != nil ? "--compare" : routing.trace != nil ? "--trace" : "--synthetic"
    guard compare != nil || routing.isGiven else { return }
    if machine.device == .cpu {
      throw ValidationError(
        "\(needsGPU) is about work shared with a GPU, and --device cpu leaves it out; without a GPU, "
          + "--device emulated models the times of one.")
    }
    guard let compare else { return }
    try compare.checkDistinct("--compare")
    if machine.hybrid.scheduler != nil {
      throw ValidationError("--compare names the systems; leave --scheduler out.")
    }
    if let other = [(kernels, "--kernels"), (profile, "--profile"), (serve, "--serve")]
      .first(where: \.0)
    {
      throw ValidationError("--compare measures whole systems; leave \(other.1) out.")
    }
    if compare.values.count > 1, let file = timeline.files.first {
      throw ValidationError("\(file.option) shows one run; name one system in --compare.")
    }
    _ = try machine.hybrid.wish.systems(compare.values, cacheRatio: 0.25)
  }

  /// Measures the systems and gives what is printed.
  func comparison(
    _ tests: [BenchmarkTest], _ subject: BenchmarkSubject, _ runner: SequenceRunner,
    _ engine: ComputeEngine, _ console: Console
  ) throws -> String {
    guard let live = engine.live else {
      throw CommandFailure(
        "--compare needs a GPU, and none is used; --device emulated models the times of one.")
    }
    guard !profile else {
      throw CommandFailure("--profile shows the parts of the CPU's work; add --device cpu.")
    }
    let routing = try routing.routing(for: subject.model, shape: shape, tests: tests)
    let systems = try machine.hybrid.wish.systems(
      compare?.values ?? [machine.hybrid.scheduler ?? .hybrimoe], cacheRatio: 0.25)
    let passes = tests.reduce(0) {
      $0 + ($1.isPrompt ? LayerProgress.passes(tokens: $1.tokenCount) : $1.tokenCount)
    }
    let progress = LayerProgress(
      console.progress("Measuring"), layerCount: subject.model.hyperparameters.layerCount,
      passes: passes * (live.isModelled ? 1 : repetitions + 1) * systems.count)
    Interrupts.deferToPolling()
    let rows: [SystemComparison.Row]
    do {
      rows = try SystemComparison(
        engine: live, run: BenchmarkRun(runner: runner, isCancelled: progress.advanceAndAsk),
        tests: tests, systems: systems, routing: routing
      ).measure(repetitions: repetitions)
    } catch InferenceError.cancelled {
      progress.finish()
      throw ExitCode(Interrupts.exitCode)
    }
    progress.finish()
    let report = ComparisonReport(
      model: subject.name, notes: subject.notes, device: live.title, isModelled: live.isModelled,
      routing: routing?.title ?? "routed by the model itself",
      repetitions: live.isModelled ? 1 : repetitions, tests: tests, rows: rows,
      isMade: shape != nil, whole: subject.whole)
    return looking.json ? report.json.text + "\n" : csv ? report.csv : report.text
  }
}
