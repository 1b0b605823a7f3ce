/// The ranks of one cache's experts after an event, with what decides between equal ones.
struct Ranks: Sendable {
  /// One for each expert of the cache; the lowest goes first.
  var values: [Double]
  var history: UseHistory
  /// The offline rule, which decides more than ranks; `nil` for all others.
  var offline: OfflineMIN?
}

/// The experts of one cache in the order of one rule: the rule, what it has seen, and its ranks after
/// the latest event.
struct RankedExperts: Sendable {
  private(set) var ranks: Ranks
  /// What is foreseen of each of the cache's layers; empty where nobody asks.
  private(set) var forecasts: [LayerForecast] = []
  // One of three kinds of rule is there; the offline one is in `ranks`.
  private var causal: (any EvictionPolicy)?
  /// The candidates of `auto`.
  private(set) var candidates: CandidateRanks?
  /// The ghosts of `auto`; without them `ranks` are meaningless, and whoever shares the candidates
  /// has ghosts of his own.
  private(set) var contest: GhostContest?

  init(experts: Int, policy: any EvictionPolicy) {
    self.init(experts: experts)
    causal = policy
  }

  init(experts: Int, offline policy: OfflineMIN) {
    self.init(experts: experts)
    ranks.offline = policy
  }

  /// Follows the best candidate.
  init(_ setting: EvictionPolicies.Setting, contest: GhostContest?) {
    self.init(experts: setting.universe)
    candidates = CandidateRanks(setting)
    self.contest = contest
    addForecasts(setting)
  }

  private init(experts: Int) {
    ranks = Ranks(
      values: Array(repeating: 0, count: experts), history: UseHistory(experts: experts))
  }

  /// Forecasts from now on, whatever the rule.
  mutating func addForecasts(_ setting: EvictionPolicies.Setting) {
    guard forecasts.isEmpty else { return }
    let forecast = LayerForecast(experts: setting.experts, topK: setting.topK)
    forecasts = Array(repeating: forecast, count: setting.layersOfCache)
  }

  /// Takes note of an event; `base` is the number of its layer's first expert.
  mutating func observe(_ event: LayerActivation, base: Int) {
    ranks.history.observe(event, base: base)
    let place = base / event.experts
    if !forecasts.isEmpty {
      forecasts[place].observe(event, base: base, history: ranks.history)
    }
    causal?.observe(event, base: base, history: ranks.history)
    causal?.fillRanks(&ranks.values, history: ranks.history)
    ranks.offline?.observe(event, base: base, history: ranks.history)
    ranks.offline?.fillRanks(&ranks.values, history: ranks.history)
    candidates?.observe(
      event, base: base, history: ranks.history, learned: forecasts[place].values)
    followContest(event, base: base)
  }

  private mutating func followContest(_ event: LayerActivation, base: Int) {
    guard let candidates else { return }
    contest?.observe(event, base: base, history: ranks.history, candidates: candidates)
    guard let running = contest?.running.rawValue else { return }
    for expert in ranks.values.indices {
      ranks.values[expert] = candidates.values[running][expert]
    }
  }

  /// Tells a rule that depends on the cache's size that it has changed.
  mutating func resize(slots: Int) {
    guard let candidates else { return }
    contest?.resize(slots: slots, history: ranks.history, candidates: candidates)
  }
}
