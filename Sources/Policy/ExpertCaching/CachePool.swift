/// The slots of one layer (or of all layers) with the rule that ranks their experts.
struct CachePool: Sendable {
  var table: SlotTable
  private(set) var ranking: RankedExperts
  private var order: [Int] = []

  private init(table: SlotTable, ranking: RankedExperts) {
    self.table = table
    self.ranking = ranking
  }

  /// One pool for each layer, or one for all.
  static func pools(_ configuration: CacheConfiguration) -> [CachePool] {
    var setting = EvictionPolicies.Setting(
      layers: configuration.layers, experts: configuration.experts,
      topK: configuration.activated, scope: configuration.scope)
    setting.mrsAlpha = configuration.mrsAlpha
    var pools: [CachePool] = []
    var firstSlot = 0
    let isGlobal = configuration.scope == .global
    for layer in 0..<(isGlobal ? 1 : configuration.layers) {
      let slots = isGlobal ? configuration.slots.reduce(0, +) : configuration.slots[layer]
      let first = layer * configuration.experts
      if !configuration.popularity.isEmpty {
        setting.popularity = Array(configuration.popularity[first..<first + setting.universe])
      }
      var ranking =
        EvictionPolicies.named(configuration.eviction, setting).map {
          RankedExperts(experts: setting.universe, policy: $0)
        }
        ?? RankedExperts(
          setting,
          contest: GhostContest(
            experts: setting.universe, slots: slots, admission: configuration.admission))
      ranking.addForecasts(setting)
      pools.append(
        CachePool(
          table: SlotTable(experts: setting.universe, slots: firstSlot..<firstSlot + slots),
          ranking: ranking))
      firstSlot += slots
    }
    return pools
  }

  mutating func observe(_ event: LayerActivation, base: Int) {
    ranking.observe(event, base: base)
  }

  mutating func judge(_ event: LayerActivation, base: Int) -> EventOutcome {
    table.judge(event, base: base)
  }

  mutating func play(_ event: LayerActivation, base: Int, admission: Admission) -> EventOutcome {
    table.play(event, base: base, ranks: ranking.ranks, admission: admission, order: &order)
  }

  func lowestRanked(sparing isSpared: (Int) -> Bool) -> Int? {
    table.lowestRanked(
      ranking.ranks.values, history: ranking.ranks.history, sparing: isSpared)
  }

  /// Gives a slot away, after its occupant if none is free; `nil` where all are in use.
  mutating func giveSlot() -> Int? {
    if !table.hasFreeSlot {
      let lowest = lowestRanked { table.isPrefetched($0) }
      guard let lowest else { return nil }
      table.evict(lowest)
    }
    let slot = table.removeFreeSlot()
    ranking.resize(slots: table.slotCount)
    return slot
  }

  mutating func takeSlot(_ slot: Int) {
    table.addSlot(slot)
    ranking.resize(slots: table.slotCount)
  }
}
