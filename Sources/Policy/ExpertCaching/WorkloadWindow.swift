/// Evicts the expert with the least work in the layer's last few events: work comes in bursts.
///
/// The rule (DALI's workload-aware cache): the smallest number of tokens routed to the expert in the
/// layer's last four events, this one included, then the oldest recency. A short window follows a
/// change of topic at once; in decode it knows little more than LRU.
public struct WorkloadWindow: EvictionPolicy {
  /// The events that count.
  public static let windowEvents = 4

  private let experts: Int
  private var totals: [Int]
  // Loads of the last events of each layer: [windowEvents, layers, experts].
  private var loads: [Int]
  private var eventsSeen: [Int]

  public init(layers: Int, experts: Int) {
    self.experts = experts
    totals = Array(repeating: 0, count: layers * experts)
    loads = Array(repeating: 0, count: Self.windowEvents * layers * experts)
    eventsSeen = Array(repeating: 0, count: layers)
  }

  public mutating func observe(_ event: LayerActivation, base: Int, history: UseHistory) {
    let layer = base / experts
    let oldest = eventsSeen[layer] % Self.windowEvents * totals.count
    eventsSeen[layer] += 1
    for index in 0..<experts {
      let load = event.loads[index]
      totals[base + index] += load - loads[oldest + base + index]
      loads[oldest + base + index] = load
    }
  }

  public func fillRanks(_ ranks: inout [Double], history: UseHistory) {
    for expert in ranks.indices { ranks[expert] = Double(totals[expert]) }
  }
}
