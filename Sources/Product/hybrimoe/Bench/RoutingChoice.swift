import ArgumentParser
import ExpertSimulation
import Experts
import Inference
import Models
import RoutingTraces

/// What decides the experts of a measurement in place of the model's routers.
struct RoutingOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: .init(
      "Where a GPU is used: take the experts from a recorded trace instead of the model's routers.",
      valueName: "file"))
  var trace: String?

  @Option(
    parsing: .unconditional,
    help: .init(
      "Where a GPU is used: make the experts up, as routers of such models behave, from this seed.",
      valueName: "seed"))
  var synthetic: UInt64?

  func validate() throws {
    if trace != nil, synthetic != nil {
      throw ValidationError("Give --trace or --synthetic, not both.")
    }
    if trace == "-" {
      throw ValidationError("A trace is used more than once; give a file, not standard input.")
    }
  }

  var isGiven: Bool { trace != nil || synthetic != nil }

  /// The routing for a model and tests; nil where the model's own routers decide.
  ///
  /// - Parameter shape: the name of the model's shape, for made-up routing.
  /// - Throws: `CommandFailure` where a trace is of another model.
  func routing(
    for model: DecoderModel, shape: String?, tests: [BenchmarkTest]
  ) throws -> ForcedRouting? {
    if let trace { return try recorded(trace, model) }
    return try synthetic.map { try madeUp(seed: $0, model, shape, tests) }
  }

  private func recorded(_ path: String, _ model: DecoderModel) throws -> ForcedRouting {
    let trace = try TraceFile(path: path)
    let header = trace.header
    let parameters = model.hyperparameters
    for (what, inTrace, inModel) in [
      ("experts a layer", header.experts, parameters.expertCount),
      ("activated experts a token", header.activated, parameters.activeExpertCount),
    ] where inTrace != inModel {
      throw CommandFailure(
        "\(path) has \(inTrace) \(what), but the model has \(inModel): it is a trace of another model."
      )
    }
    // Made weights may have fewer layers than the model whose trace it is.
    guard header.layers >= model.expertLayers.count else {
      throw CommandFailure(
        "\(path) has \(header.layers) MoE layers, but the model has \(model.expertLayers.count): it is a "
          + "trace of another model.")
    }
    return try ForcedRouting(header, title: "routing of \(path)", next: trace.next)
  }

  private func madeUp(
    seed: UInt64, _ model: DecoderModel, _ shape: String?, _ tests: [BenchmarkTest]
  ) throws -> ForcedRouting {
    let catalog = ProfileCatalog()
    let parameters = model.hyperparameters
    let layers = model.expertLayers.sorted { $0.key < $1.key }
    let header = TraceHeader(
      model: parameters.name ?? parameters.architecture, layers: layers.count,
      experts: parameters.expertCount, activated: parameters.activeExpertCount,
      expertBytes: layers.map { $0.value.meanExpertBytes })
    let sequence = try SimulatedSequence(
      header, behavior: catalog.routing(of: shape.map(catalog.shape)),
      promptTokens: tests.filter(\.isPrompt).map(\.tokenCount).max() ?? 1,
      decodeTokens: tests.filter { !$0.isPrompt }.map(\.tokenCount).max() ?? 0, seed: seed)
    var events = sequence.events[...]
    return ForcedRouting(
      header, title: "made-up routing, seed \(seed)", popularity: sequence.popularity,
      next: { events.popFirst() })
  }
}
