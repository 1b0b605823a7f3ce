/// Ranks as the best of several rules would, and finds out which that is while the model runs.
///
/// Intuition: which rule is best depends on model, layer, text and cache size, and none can be chosen
/// beforehand. But a rule can be tried without moving a byte: a ghost, a table of the same size that
/// holds only names, plays every event by that rule and counts its hits.
///
/// The rule: one ghost for each candidate; hits fade with a memory of 512 events. The candidate
/// whose ghost leads the running one's by more than `lead` takes over: its ranks then choose the
/// victims among whatever is resident, so that contents converge by ordinary misses and nothing is
/// copied for the switch. The first candidate, the learned `LayerForecast`, runs at the start.
///
/// Rejected: mixing ranks of several rules (their scales have nothing to do with each other), and
/// following the last few events only (switching to and fro costs more than it finds).
public struct AutoRanking: Sendable {
  /// A rule that is being measured.
  public enum Candidate: Int, Sendable, CaseIterable {
    case learned, mrs, lfru, lfu, lru, workload

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

  private struct Ghost: Sendable {
    // `nil` for the learned forecast, which the cache has anyway.
    var policy: (any EvictionPolicy)?
    var values: [Double]
    var table: SlotTable
    var hits = 0.0
  }

  /// Events of memory: long enough that the noise of a few hundred hits does not decide.
  static let memoryEvents = 512.0
  /// The share of its hits by which a challenger must lead, and the hits besides: about two standard
  /// deviations of the difference of two rules that agree on nine experts of ten.
  static let leadShare = 0.005
  static let leadHits = 8.0

  /// The candidate whose ranks are in force.
  public private(set) var running = Candidate.learned
  /// How often the running candidate has changed.
  public private(set) var switches = 0
  private var ghosts: [Ghost] = []
  private let admission: Admission
  private var order: [Int] = []

  /// - Parameters:
  ///   - setting: of the cache whose experts are ranked.
  ///   - slots: of that cache.
  ///   - admission: by which the ghosts play.
  public init(_ setting: EvictionPolicies.Setting, slots: Int, admission: Admission) {
    self.admission = admission
    let table = SlotTable(experts: setting.universe, slots: 0..<slots)
    let values = Array(repeating: 0.0, count: setting.universe)
    for candidate in Candidate.allCases {
      let policy = candidate.policyName.flatMap { EvictionPolicies.named($0, setting) }
      ghosts.append(Ghost(policy: policy, values: values, table: table))
    }
  }

  /// Discounted hits of a candidate's ghost over the last events.
  public func ghostHits(of candidate: Candidate) -> Double {
    ghosts[candidate.rawValue].hits
  }

  /// Takes note of an event and writes the running candidate's ranks. `learned` holds the values of
  /// the experts of the event's layer, after the event.
  mutating func observe(
    _ event: LayerActivation, base: Int, history: UseHistory, learned: [Double],
    ranks: inout [Double]
  ) {
    for place in ghosts.indices {
      if ghosts[place].policy == nil {
        for index in learned.indices { ghosts[place].values[base + index] = learned[index] }
      }
      ghosts[place].policy?.observe(event, base: base, history: history)
      ghosts[place].policy?.fillRanks(&ghosts[place].values, history: history)
      let outcome = ghosts[place].table.play(
        event, base: base, ranks: Ranks(values: ghosts[place].values, history: history),
        admission: admission, order: &order)
      ghosts[place].hits += Double(outcome.hits) - ghosts[place].hits / Self.memoryEvents
    }
    choose()
    let place = running.rawValue
    for expert in ranks.indices { ranks[expert] = ghosts[place].values[expert] }
  }

  /// Gives all ghosts another number of slots.
  mutating func resize(slots: Int, history: UseHistory) {
    for place in ghosts.indices {
      while ghosts[place].table.slotCount < slots {
        ghosts[place].table.addSlot(ghosts[place].table.slotCount)
      }
      while ghosts[place].table.slotCount > slots {
        if !ghosts[place].table.hasFreeSlot,
          let lowest = ghosts[place].table.lowestRanked(
            ghosts[place].values, history: history, sparing: { _ in false })
        {
          ghosts[place].table.evict(lowest)
        }
        _ = ghosts[place].table.removeFreeSlot()
      }
    }
  }

  private mutating func choose() {
    let current = ghosts[running.rawValue].hits
    var best = running
    var bestHits = current * (1 + Self.leadShare) + Self.leadHits
    for (place, candidate) in Candidate.allCases.enumerated() where ghosts[place].hits > bestHits {
      best = candidate
      bestHits = ghosts[place].hits
    }
    guard best != running else { return }
    running = best
    switches += 1
  }
}
