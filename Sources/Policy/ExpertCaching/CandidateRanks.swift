/// A rule that `auto` may follow.
public enum Candidate: Int, Sendable, CaseIterable {
  /// The values of `LayerForecast`.
  case learned
  case mrs, lfru, lfu, lru, workload

  var policyName: EvictionName? {
    switch self {
    case .learned: nil
    case .mrs: .mrs
    case .lfru: .lfru
    case .lfu: .lfu
    case .lru: .lru
    case .workload: .workload
    }
  }
}

/// The ranks that every candidate gives to the experts of one cache; they do not depend on the
/// cache's size, so ghosts of several sizes can share them.
struct CandidateRanks: Sendable {
  /// By candidate, [experts of the cache].
  private(set) var values: [[Double]]
  private var policies: [(any EvictionPolicy)?]

  init(_ setting: EvictionPolicies.Setting) {
    policies = Candidate.allCases.map { candidate in
      candidate.policyName.flatMap { EvictionPolicies.named($0, setting) }
    }
    values = Array(
      repeating: Array(repeating: 0, count: setting.universe), count: policies.count)
  }

  /// Takes note of an event; `learned` holds the values of the experts of the event's layer after it.
  mutating func observe(
    _ event: LayerActivation, base: Int, history: UseHistory, learned: [Double]
  ) {
    for place in policies.indices {
      policies[place]?.observe(event, base: base, history: history)
      policies[place]?.fillRanks(&values[place], history: history)
    }
    let place = Candidate.learned.rawValue
    for index in learned.indices { values[place][base + index] = learned[index] }
  }
}
