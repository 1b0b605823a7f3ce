/// The experts of one cache in the order of one rule: the rule, what it has seen, and its ranks after
/// the latest event.
public struct RankedExperts: Sendable {
  public private(set) var history: UseHistory
  /// One for each expert of the cache; the lowest goes first.
  public private(set) var ranks: [Double]
  // Exactly one of the two is there. The offline rule is apart because it decides more than ranks.
  private var causal: (any EvictionPolicy)?
  private(set) var offline: OfflineMIN?

  public init(experts: Int, policy: any EvictionPolicy) {
    history = UseHistory(experts: experts)
    ranks = Array(repeating: 0, count: experts)
    causal = policy
  }

  public init(experts: Int, offline policy: OfflineMIN) {
    history = UseHistory(experts: experts)
    ranks = Array(repeating: 0, count: experts)
    offline = policy
  }

  /// Takes note of an event; `base` is the number of its layer's first expert.
  public mutating func observe(_ event: LayerActivation, base: Int) {
    history.observe(event, base: base)
    causal?.observe(event, base: base, history: history)
    offline?.observe(event, base: base, history: history)
    causal?.fillRanks(&ranks, history: history)
    offline?.fillRanks(&ranks, history: history)
  }
}
