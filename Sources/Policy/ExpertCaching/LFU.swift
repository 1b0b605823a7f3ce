/// Evicts the expert that the fewest events have activated: popular experts stay popular.
///
/// The rule: the resident with the lowest count, then the oldest recency. Counts are kept for absent
/// experts too and never fade, so it is the best static placement that can be learned on the way,
/// and is slow where the topic changes.
public struct LFU: EvictionPolicy {
  public init() {}

  public mutating func observe(_ event: LayerActivation, base: Int, history: UseHistory) {}

  public func fillRanks(_ ranks: inout [Double], history: UseHistory) {
    for expert in ranks.indices { ranks[expert] = Double(history.counts[expert]) }
  }
}
