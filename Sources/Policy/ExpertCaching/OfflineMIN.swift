/// Evicts the expert that is needed again last: Belady's MIN (1966), which knows the future.
///
/// No causal rule can do better, so every hit rate is also reported as a share of MIN's. With forced
/// admission: the resident whose next event is farthest goes, then the lowest id. With bypass the
/// optimum is simpler: after each event keep, of residents and activated together, those with the
/// nearest next use. Deciding victim by victim, as the causal rules do, is not optimal.
public struct OfflineMIN: EvictionPolicy {
  private let uses: NextUses
  private var next: [Int]

  /// - Parameter experts: experts of the cache: one layer's or all layers'.
  public init(experts: Int, uses: NextUses) {
    self.uses = uses
    next = Array(repeating: uses.never, count: experts)
  }

  public mutating func observe(_ event: LayerActivation, base: Int, history: UseHistory) {
    for (place, index) in event.activated.enumerated() {
      next[base + index] = uses.next(ofEvent: event.ordinal, place: place)
    }
  }

  // Of equal ones the lowest id goes, whatever its recency; so ids are part of the rank. Products
  // stay far below 2^53, so ranks are exact.
  public func fillRanks(_ ranks: inout [Double], history: UseHistory) {
    for expert in ranks.indices {
      ranks[expert] = -Double((next[expert] + 1) * ranks.count - expert)
    }
  }

  /// The next event that activates an expert, `NextUses.never` if none.
  public func nextUse(of expert: Int) -> Int { next[expert] }
}
