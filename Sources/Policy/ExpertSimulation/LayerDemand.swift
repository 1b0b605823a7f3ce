import Experts

/// What one layer of one step asks for, without scores: the distinct experts and their loads.
///
/// A trace is turned into demands once; every bound over it then reads these.
public struct LayerDemand: Equatable, Sendable {
  public var step: Int
  public var phase: Phase
  public var layer: Int
  /// Tokens of the step.
  public var tokens: Int
  /// Distinct activated experts, by first appearance.
  public var experts: [Int]
  /// Tokens routed to each, in the same order.
  public var loads: [Int]

  /// - Parameter activated: experts that each token activates.
  public init(_ event: RoutingEvent, activated: Int) {
    step = event.step
    phase = event.phase
    layer = event.layer
    tokens = event.ids.count / max(1, activated)
    experts = []
    loads = []
    var position = [Int](repeating: -1, count: (event.ids.max() ?? -1) + 1)
    for id in event.ids {
      if position[id] < 0 {
        position[id] = experts.count
        experts.append(id)
        loads.append(0)
      }
      loads[position[id]] += 1
    }
  }
}
