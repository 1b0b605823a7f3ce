import Models

/// Remembers which experts each token went to, layer by layer.
public final class RoutingRecorder: StepObserver {
  /// By layer number of the file: [tokens × ranks], best first.
  public private(set) var experts: [Int: [Int]] = [:]

  public init() {}

  public func didRoute(_ routing: LayerRouting) {
    experts[routing.layer, default: []] += routing.ids.map(Int.init)
  }
}
