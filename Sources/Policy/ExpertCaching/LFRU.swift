/// Evicts the expert whose frequency, divided by the age of its latest use, is lowest: popular
/// experts stay, but not for ever.
///
/// The rule: the lowest count ÷ (clock − recency + 1), then the oldest recency. The clock counts
/// activations, not events, so ages grow by top-k an event.
public struct LFRU: EvictionPolicy {
  public init() {}

  public mutating func observe(_ event: LayerActivation, base: Int, history: UseHistory) {}

  public func fillRanks(_ ranks: inout [Double], history: UseHistory) {
    for expert in ranks.indices {
      let age = history.clock - history.recency[expert] + 1
      ranks[expert] = Double(history.counts[expert]) / Double(age)
    }
  }
}
