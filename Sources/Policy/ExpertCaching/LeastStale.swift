/// Evicts what this pass has left behind, or will reach last: layers run in a circle, so an expert of
/// a layer that has just run is needed later than one of a layer that is about to run.
///
/// The rule, for one cache over all layers: a resident that this pass (step) has not used goes before
/// one that it has; then that of the layer that is farthest from running next (the running layer
/// itself is a whole round away); then the oldest recency. Within one layer it would be LRU.
public struct LeastStale: EvictionPolicy {
  private let layers: Int
  private let experts: Int
  private var layer = 0
  private var step = -1
  private var latestSteps: [Int]

  public init(layers: Int, experts: Int) {
    self.layers = layers
    self.experts = experts
    latestSteps = Array(repeating: -1, count: layers * experts)
  }

  public mutating func observe(_ event: LayerActivation, base: Int, history: UseHistory) {
    layer = event.layer
    step = event.step
    for index in event.activated { latestSteps[base + index] = step }
  }

  public func fillRanks(_ ranks: inout [Double], history: UseHistory) {
    for other in 0..<layers {
      let distance = other > layer ? other - layer : other - layer + layers
      for expert in other * experts..<(other + 1) * experts {
        let isUsed = latestSteps[expert] == step
        ranks[expert] = Double(isUsed ? layers + 1 - distance : -distance)
      }
    }
  }
}
