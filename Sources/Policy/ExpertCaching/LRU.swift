/// Evicts the expert that was used longest ago: what was used lately will be used again.
///
/// The rule: the resident with the oldest recency. Kept as the usual baseline (kTransformers and most offloading
/// systems); it forgets how often an expert was used, which in MoE routing is the stronger sign.
public struct LRU: EvictionPolicy {
  public init() {}

  public mutating func observe(_ event: LayerActivation, base: Int, history: UseHistory) {}

  public func fillRanks(_ ranks: inout [Double], history: UseHistory) {
    for expert in ranks.indices { ranks[expert] = Double(history.recency[expert]) }
  }
}
