import ExpertSimulation
import Experts
import OrderedJSON
import RoutingTraces

/// One call of `simulate --paper`.
struct PaperRun {
  let command: Simulate

  init(_ command: Simulate) { self.command = command }

  func run(_ console: Console) throws {
    let catalog = ProfileCatalog()
    let seed = command.seed ?? 1
    var evaluation = PaperEvaluation(
      profile: try catalog.machine(command.machine ?? "paper"),
      shapes: try PublishedResults.models.map(catalog.shape)
    ) { shape, prompt, decode in
      try SimulatedSequence(
        TraceHeader(shape), behavior: catalog.routing(of: shape), promptTokens: prompt,
        decodeTokens: decode, seed: seed)
    }
    evaluation.checksPlans = command.check
    if let decode = command.decodeTokens { evaluation.decodeTokens = max(1, decode) }
    if command.fit { return try fit(evaluation, console) }
    console.note("Simulating the paper's evaluation; this takes about half a minute.")
    if evaluation.profile.gpu.name != "paper" {
      console.warn(
        "--machine \(evaluation.profile.name): the published figures are those of the paper's "
          + "machine, so that the aims are not judged.")
    }
    let progress = console.progress("Simulating the paper's evaluation")
    defer { progress.finish() }
    let results = try PaperResults(evaluation) { progress.update($0 * Self.gridShare) }
    progress.finish()
    try OutputStream.standardOutput.write(
      command.looking.json ? results.json.text + "\n" : PaperText(results).text)
  }

  /// The part of the time that the grid takes; the ablation and the hit rates come after it.
  private static let gridShare = 0.9

  private func fit(_ evaluation: PaperEvaluation, _ console: Console) throws {
    console.note("Fitting; this takes about a minute.")
    let fit = try PaperFit(evaluation)
    try OutputStream.standardOutput.write(
      command.looking.json ? fit.json.text + "\n" : PaperText.text(fit))
  }
}
