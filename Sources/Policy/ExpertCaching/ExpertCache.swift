import Experts

/// Which experts are in the GPU's slots, who may take whose slot, and how well that goes.
///
/// Two uses. In the engine and the simulator a plan decides: before a layer's plan ask `isResident`,
/// then `observe` the event, `retain` what the plan uses, ask `offer` what a copied expert would
/// replace, `insert` it, `release` at the end. A replay of the classical policies calls `play` alone.
/// The cache holds no weights: a slot is a number whose memory belongs to someone else.
///
/// Deterministic; nothing is allocated in the steady state.
public struct ExpertCache: Sendable {
  public let configuration: CacheConfiguration
  public private(set) var statistics = PhaseStatistics()
  private var pools: [CachePool]
  private var event: LayerActivation
  private var balancer: SlotBalancer?

  /// An empty cache.
  /// - Throws: `CachingError` where the configuration makes no sense.
  public init(_ configuration: CacheConfiguration) throws(CachingError) {
    try configuration.validate()
    self.configuration = configuration
    event = LayerActivation(experts: configuration.experts, topK: configuration.activated)
    pools = CachePool.pools(configuration)
    if configuration.movesSlots, configuration.scope == .layer {
      balancer = SlotBalancer(configuration)
    }
  }

  // MARK: Who is resident

  public func isResident(_ expert: ExpertID) -> Bool {
    pools[pool(expert.layer)].table.isResident(number(expert))
  }

  /// The slot that holds an expert, counted over all layers from 0; `nil` where it is absent.
  public func slot(of expert: ExpertID) -> Int? {
    pools[pool(expert.layer)].table.slot(of: number(expert))
  }

  /// Whether an expert is resident only because a prefetch brought it since its layer last ran.
  public func isPrefetched(_ expert: ExpertID) -> Bool {
    pools[pool(expert.layer)].table.isPrefetched(number(expert))
  }

  /// The resident experts of a layer.
  public func residents(ofLayer layer: Int) -> ExpertSet {
    var set = ExpertSet()
    let table = pools[pool(layer)].table
    let first = number(ExpertID(layer: layer, index: 0))
    for index in 0..<configuration.experts where table.isResident(first + index) {
      set.insert(index)
    }
    return set
  }

  /// The experts of a layer that are resident only because a prefetch brought them since it last ran.
  public func prefetched(ofLayer layer: Int) -> ExpertSet {
    var set = ExpertSet()
    let table = pools[pool(layer)].table
    guard table.hasPrefetchMarks else { return set }
    let first = number(ExpertID(layer: layer, index: 0))
    for index in 0..<configuration.experts where table.isPrefetched(first + index) {
      set.insert(index)
    }
    return set
  }

  /// The slots that a layer has now; with global scope, those of all layers.
  public func slots(ofLayer layer: Int) -> Int { pools[pool(layer)].table.slotCount }

  /// Takes a free slot away from a layer for ever: the memory behind it is gone. At least one slot
  /// must be free.
  ///
  /// - Returns: the slot's number, as in `slot(of:)`.
  @discardableResult
  public mutating func removeFreeSlot(ofLayer layer: Int) -> Int {
    let place = pool(layer)
    precondition(pools[place].table.hasFreeSlot, "evict an expert before its slot is taken away")
    guard let slot = pools[place].giveSlot() else { preconditionFailure("a slot is free") }
    return slot
  }

  // MARK: What was routed

  /// Takes note of an event: counts its hits, teaches the rules, and ends the layer's prefetch marks.
  /// Admits nothing. Call it when the routing is known, before the plan's experts are inserted.
  @discardableResult
  public mutating func observe(_ routed: RoutingEvent) -> EventOutcome {
    let place = read(routed)
    let outcome = pools[place.pool].judge(event, base: place.base)
    statistics[event.phase].add(outcome)
    return outcome
  }

  /// Plays an event as the classical policies do: takes note of it, then admits misses by the
  /// configured admission. Not for a cache that a plan fills: nothing may be retained.
  @discardableResult
  public mutating func play(_ routed: RoutingEvent) -> EventOutcome {
    let place = read(routed)
    let outcome = pools[place.pool].play(
      event, base: place.base, admission: configuration.admission)
    statistics[event.phase].add(outcome)
    return outcome
  }

  private mutating func read(_ routed: RoutingEvent) -> (pool: Int, base: Int) {
    event.read(routed)
    let place = (pool: pool(event.layer), base: base(event.layer))
    balancer?.observe(event, ranks: pools[place.pool].ranking.ranks)
    pools[place.pool].observe(event, base: place.base)
    if balancer?.isDue == true { balancer?.move(&pools, running: event.layer) }
    return place
  }

  // MARK: Who comes and who goes

  /// What a newcomer would get: a free slot, a victim's, or none.
  ///
  /// The victim is the resident that the rule ranks lowest, outside `spared` and not retained.
  /// - Parameter spared: experts of the newcomer's layer that must stay: the running event's, or
  ///   those that a prediction expects.
  public func offer(for newcomer: ExpertID, sparing spared: ExpertSet = ExpertSet()) -> SlotOffer {
    let place = pool(newcomer.layer)
    if pools[place].table.hasFreeSlot { return .free }
    let base = base(newcomer.layer)
    let victim = pools[place].lowestRanked { expert in
      let index = expert - base
      return index >= 0 && index < configuration.experts && spared.contains(index)
    }
    guard let victim else { return .none }
    let isWorthy =
      !configuration.eviction.hasBypass
      || score(number(newcomer), place) > score(victim, place)
    return .replacing(id(victim, near: newcomer.layer), newcomerRanksHigher: isWorthy)
  }

  /// The resident that would make room for a newcomer; `nil` where a slot is free or nobody may go.
  public func victim(for newcomer: ExpertID, sparing spared: ExpertSet = ExpertSet()) -> ExpertID? {
    guard case .replacing(let victim, _) = offer(for: newcomer, sparing: spared) else { return nil }
    return victim
  }

  /// Puts an absent expert into a free slot or its victim's, and tells which.
  ///
  /// Call it when the slot is to be overwritten; the engine publishes the expert to plans only after
  /// its last byte has arrived.
  /// - Parameter isPrefetched: whether a prefetch brings it; it then counts apart until its layer
  ///   has run.
  @discardableResult
  public mutating func insert(
    _ newcomer: ExpertID, replacing victim: ExpertID? = nil, isPrefetched: Bool = false,
    phase: Phase = .decode
  ) -> Int {
    statistics[phase].admitted += 1
    if victim != nil { statistics[phase].evicted += 1 }
    return pools[pool(newcomer.layer)].table.insert(
      number(newcomer), replacing: victim.map(number), isPrefetched: isPrefetched)
  }

  /// Frees an expert's slot, for instance when its copy was cancelled.
  public mutating func evict(_ expert: ExpertID, phase: Phase = .decode) {
    statistics[phase].evicted += 1
    pools[pool(expert.layer)].table.evict(number(expert))
  }

  /// Protects a resident expert's slot while a plan uses it; balanced by `release`.
  public mutating func retain(_ expert: ExpertID) {
    pools[pool(expert.layer)].table.retain(number(expert))
  }

  public mutating func release(_ expert: ExpertID) {
    pools[pool(expert.layer)].table.release(number(expert))
  }

  // MARK: What an expert is worth

  /// The probability, 0 to 1, that the expert is activated when its layer runs next for one token:
  /// what a prefetch or a fill weighs a victim and a candidate by. Learned from all events, whatever
  /// the rule; at first that of an expert of which nothing is known.
  public func activationProbability(of expert: ExpertID) -> Double {
    activationProbabilities(ofLayer: expert.layer)[expert.index]
  }

  /// The same of every expert of a layer, [experts]; where several are asked for, this is quicker.
  public func activationProbabilities(ofLayer layer: Int) -> [Double] {
    // One path of stored properties: a method of the pool would be called on a copy of it.
    pools[pool(layer)].ranking.forecasts[configuration.scope == .layer ? 0 : layer].probabilities
  }

  /// The rule's rank of an expert; higher stays. Comparable only within a cache and a rule.
  public func score(of expert: ExpertID) -> Double {
    score(number(expert), pool(expert.layer))
  }

  private func score(_ number: Int, _ pool: Int) -> Double {
    pools[pool].ranking.ranks.values[number]
  }

  // MARK: Numbers

  private func pool(_ layer: Int) -> Int { configuration.scope == .layer ? layer : 0 }

  private func base(_ layer: Int) -> Int {
    configuration.scope == .layer ? 0 : layer * configuration.experts
  }

  private func number(_ expert: ExpertID) -> Int { base(expert.layer) + expert.index }

  private func id(_ number: Int, near layer: Int) -> ExpertID {
    guard configuration.scope == .global else { return ExpertID(layer: layer, index: number) }
    return ExpertID(
      layer: number / configuration.experts, index: number % configuration.experts)
  }
}

/// What a cache can give to an expert that is to be copied.
public enum SlotOffer: Equatable, Sendable {
  /// A free slot.
  case free
  /// A resident's slot, and whether the rule ranks the newcomer above it; with bypass only then is
  /// the exchange worth making.
  case replacing(ExpertID, newcomerRanksHigher: Bool)
  /// No slot: all residents are retained or spared.
  case none
}
