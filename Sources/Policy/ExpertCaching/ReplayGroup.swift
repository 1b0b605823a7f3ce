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
    var statistics = PhaseStatistics()
  }

  /// Makes the rule for a cache with this setting, the first of the group's seats, and first layer.
  typealias Maker = @Sendable (EvictionPolicies.Setting, Seat, Int) -> RankedExperts

  let name: EvictionName
  private(set) var seats: [Seat]
  private let setting: EvictionPolicies.Setting
  private let make: Maker
  // Made at a layer's first event, so that what a header promises and never comes costs nothing.
  private var rankings: [RankedExperts?]
  private var order: [Int] = []

  /// The groups of a rule: one for all its sizes, or one for each where the rule depends on them.
  static func groups(
    _ name: EvictionName, header: TraceHeader, request: ReplayRequest, make: @escaping Maker
  ) -> [ReplayGroup] {
    var setting = EvictionPolicies.Setting(
      layers: header.layers, experts: header.experts, topK: header.activated,
      scope: request.scope)
    setting.mrsAlpha = request.mrsAlpha
    let pools = header.layers / setting.layersOfCache
    var seats: [Seat] = []
    for (place, capacity) in request.capacities.enumerated() {
      let slots =
        setting.layersOfCache
        * CacheConfiguration.slots(capacity: capacity, experts: header.experts)
      for admission in request.admissions(of: name) {
        let table = SlotTable(experts: setting.universe, slots: 0..<slots)
        seats.append(
          Seat(
            capacity: place, slots: slots, admission: admission,
            tables: Array(repeating: table, count: pools)))
      }
    }
    guard !seats.isEmpty else { return [] }
    let sharing = name == .auto ? seats.map { [$0] } : [seats]
    return sharing.map {
      ReplayGroup(
        name: name, seats: $0, setting: setting, make: make,
        rankings: Array(repeating: nil, count: pools))
    }
  }

  mutating func play(_ event: LayerActivation) {
    let pool = setting.scope == .layer ? event.layer : 0
    let base = setting.scope == .layer ? 0 : event.layer * event.experts
    if rankings[pool] == nil { rankings[pool] = make(setting, seats[0], pool) }
    rankings[pool]?.observe(event, base: base)
    guard let ranks = rankings[pool]?.ranks else { return }
    for index in seats.indices {
      let outcome = seats[index].tables[pool].play(
        event, base: base, ranks: ranks, admission: seats[index].admission, order: &order)
      seats[index].statistics[event.phase].add(outcome)
    }
  }
}
