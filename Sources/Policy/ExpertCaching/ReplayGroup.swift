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
    var tables: [SlotTable]
    var statistics = PhaseStatistics()
  }

  enum Rule {
    case causal(any EvictionPolicy)
    case offline(OfflineMIN)
    case automatic(AutoRanking)
  }

  let name: EvictionName
  private(set) var seats: [Seat]
  private let scope: CacheScope
  private var rankings: [RankedExperts]
  private var order: [Int] = []

  /// The groups of a rule: one for all its sizes, or one for each where the rule depends on them.
  ///
  /// - Parameter make: the rule for a cache with this setting, seat and first layer.
  static func groups(
    _ name: EvictionName, header: TraceHeader, request: ReplayRequest,
    make: (EvictionPolicies.Setting, Seat, Int) -> Rule?
  ) -> [ReplayGroup] {
    var setting = EvictionPolicies.Setting(
      layers: header.layers, experts: header.experts, topK: header.activated,
      scope: request.scope)
    setting.mrsAlpha = request.mrsAlpha
    let pools = request.scope == .layer ? header.layers : 1
    let layersOfPool = request.scope == .layer ? 1 : header.layers
    var seats: [Seat] = []
    for (place, capacity) in request.capacities.enumerated() {
      let slots =
        layersOfPool * CacheConfiguration.slots(capacity: capacity, experts: header.experts)
      for admission in request.admissions(of: name) {
        let table = SlotTable(experts: setting.universe, slots: 0..<slots)
        seats.append(
          Seat(
            capacity: place, slots: slots, admission: admission,
            tables: Array(repeating: table, count: pools)))
      }
    }
    let sharing = name == .auto ? seats.map { [$0] } : [seats]
    return sharing.compactMap { seats in
      guard let seat = seats.first else { return nil }
      let rankings = (0..<pools).compactMap { layer -> RankedExperts? in
        switch make(setting, seat, layer) {
        case .causal(let policy): RankedExperts(experts: setting.universe, policy: policy)
        case .offline(let policy): RankedExperts(experts: setting.universe, offline: policy)
        case .automatic(let policy): RankedExperts(setting, automatic: policy)
        case nil: nil
        }
      }
      guard rankings.count == pools else { return nil }
      return ReplayGroup(name: name, seats: seats, scope: request.scope, rankings: rankings)
    }
  }

  private init(name: EvictionName, seats: [Seat], scope: CacheScope, rankings: [RankedExperts]) {
    self.name = name
    self.seats = seats
    self.scope = scope
    self.rankings = rankings
  }

  mutating func play(_ event: LayerActivation) {
    let pool = scope == .layer ? event.layer : 0
    let base = scope == .layer ? 0 : event.layer * event.experts
    rankings[pool].observe(event, base: base)
    for index in seats.indices {
      let outcome = seats[index].tables[pool].play(
        event, base: base, ranks: rankings[pool].ranks, admission: seats[index].admission,
        order: &order)
      seats[index].statistics[event.phase].add(outcome)
    }
  }
}
