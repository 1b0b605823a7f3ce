import Experts

/// Caches of several sizes and admissions that one rule serves: the rule reads each event once.
struct ReplayGroup: Sendable {
  /// A cache size with an admission, and what it came to.
  struct Seat: Sendable {
    /// The place of its capacity in the request.
    var capacity: Int
    /// Slots of one table.
    var slots: Int
    var admission: Admission
    // Equal tables share their memory until a layer's first event.
    var tables: [SlotTable]
    /// With `auto`, the ghosts of each table.
    var contests: [GhostContest] = []
    var statistics = PhaseStatistics()
  }

  /// Makes the rule for a cache with this setting and first layer.
  typealias Maker = @Sendable (EvictionPolicies.Setting, Int) -> RankedExperts

  let name: EvictionName
  private(set) var seats: [Seat]
  private let setting: EvictionPolicies.Setting
  private let make: Maker
  // Made at a layer's first event, so that what a header promises and never comes costs nothing.
  private var rankings: [RankedExperts?]
  private var order: [Int] = []

  init(
    _ name: EvictionName, header: TraceHeader, request: ReplayRequest, make: @escaping Maker
  ) {
    var setting = EvictionPolicies.Setting(
      layers: header.layers, experts: header.experts, topK: header.activated,
      scope: request.scope)
    setting.mrsAlpha = request.mrsAlpha
    let pools = header.layers / setting.layersOfCache
    seats = []
    for (place, capacity) in request.capacities.enumerated() {
      let slots =
        setting.layersOfCache
        * CacheConfiguration.slots(capacity: capacity, experts: header.experts)
      for admission in request.admissions(of: name) {
        let table = SlotTable(experts: setting.universe, slots: 0..<slots)
        var seat = Seat(
          capacity: place, slots: slots, admission: admission,
          tables: Array(repeating: table, count: pools))
        if name == .auto {
          let contest = GhostContest(
            experts: setting.universe, slots: slots, admission: admission)
          seat.contests = Array(repeating: contest, count: pools)
        }
        seats.append(seat)
      }
    }
    self.name = name
    self.setting = setting
    self.make = make
    rankings = Array(repeating: nil, count: pools)
  }

  mutating func play(_ event: LayerActivation) {
    let pool = setting.scope == .layer ? event.layer : 0
    let base = setting.scope == .layer ? 0 : event.layer * event.experts
    if rankings[pool] == nil { rankings[pool] = make(setting, pool) }
    rankings[pool]?.observe(event, base: base)
    guard let ranking = rankings[pool] else { return }
    var ranks = ranking.ranks
    for index in seats.indices {
      if let candidates = ranking.candidates {
        seats[index].contests[pool].observe(
          event, base: base, history: ranks.history, candidates: candidates)
        ranks.values = candidates.values[seats[index].contests[pool].running.rawValue]
      }
      let outcome = seats[index].tables[pool].play(
        event, base: base, ranks: ranks, admission: seats[index].admission, order: &order)
      seats[index].statistics[event.phase].add(outcome)
    }
  }
}
