import ArgumentParser
import Experts
import Placement
import RoutingTraces

/// Which model's routing is made up, and how it behaves.
struct SyntheticRoutingOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: .init("A known model's shape, or a JSON file.", valueName: "name"))
  var shape: String?

  @Option(parsing: .unconditional, help: .init("MoE layers.", valueName: "count"))
  var layers: Int?

  @Option(parsing: .unconditional, help: .init("Experts of each layer.", valueName: "count"))
  var experts: Int?

  @Option(
    parsing: .unconditional,
    help: .init("Experts that a token is routed to.", valueName: "count"))
  var activated: Int?

  @Option(
    parsing: .unconditional,
    help: .init(
      "How the router behaves: a known one's name or a JSON file (default: as the shape's).",
      valueName: "name"))
  var routing: String?

  @Option(parsing: .unconditional, help: .init("What decides every draw.", valueName: "number"))
  var seed: UInt64 = 1

  func validate() throws {
    for (name, count) in [
      ("--layers", layers), ("--experts", experts), ("--activated", activated),
    ] {
      if let count, count < 1 {
        throw ValidationError("\(name) is \(count), but must be at least 1.")
      }
    }
    guard shape != nil || (layers != nil && experts != nil && activated != nil) else {
      throw ValidationError("Give --shape, or --layers, --experts and --activated.")
    }
  }

  /// The source of events.
  ///
  /// - Throws: `SyntheticRoutingError` where the numbers are impossible; `CommandFailure` and errors
  ///   of profiles where a name or a file is wrong.
  func source(_ amount: SyntheticRouting.Amount) throws -> SyntheticRouting {
    let catalog = ProfileCatalog()
    let shape = try shape.map(catalog.shape)
    let behavior = try routing.map(catalog.routing) ?? catalog.routing(of: shape)
    let header = header(shape)
    return try SyntheticRouting(header: header, behavior: behavior, amount: amount, seed: seed)
  }

  private func header(_ shape: ModelShape?) -> TraceHeader {
    let layers = layers ?? shape?.moeLayerCount ?? 0
    // Layers beyond the shape's, or without a shape, have experts of the mean size, or of none.
    let known = (0..<(shape?.moeLayerCount ?? 0)).map {
      shape?.expertFootprint(layer: $0).hostBytes ?? 0
    }
    let mean = known.isEmpty ? 0 : known.reduce(0, +) / known.count
    let isPossible = (0...TraceHeader.maximumLayers).contains(layers)
    return TraceHeader(
      model: shape?.name ?? "synthetic", layers: layers,
      experts: experts ?? shape?.expertCount ?? 0,
      activated: activated ?? shape?.activatedCount ?? 0,
      expertBytes: (0..<(isPossible ? layers : 0)).map {
        known.indices.contains($0) ? known[$0] : mean
      })
  }
}
