import Experts

/// How likely each expert is to be activated when its layer runs next.
public struct ActivationForecast: Sendable {
  private let experts: Int
  private var averages: [Double]

  public init(layers: Int, experts: Int) {
    self.experts = experts
    averages = Array(repeating: 0, count: layers * experts)
  }

  public mutating func observe(_ event: LayerActivation) {
    let base = event.layer * experts
    for index in 0..<experts {
      let isActivated = event.loads[index] > 0 ? 1.0 : 0.0
      averages[base + index] += 0.1 * (isActivated - averages[base + index])
    }
  }

  public func probability(of expert: ExpertID) -> Double {
    averages[expert.layer * experts + expert.index]
  }
}
