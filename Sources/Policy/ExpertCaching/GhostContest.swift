/// Ranks as the best of several rules would, and finds out which that is while the model runs: the
/// rule `auto`.
///
/// Intuition: which rule is best depends on model, layer, text and cache size, and none can be chosen
/// beforehand. But a rule can be tried without moving a byte: a ghost, a table of the same size that
/// holds only names, plays every event by that rule and counts its hits.
///
/// The rule: one ghost for each candidate; hits fade with a memory of 512 events. The candidate
/// whose ghost leads the running one's by more than `leadShare` and `leadHits` takes over: its ranks
/// then choose the victims among whatever is resident, so that contents converge by ordinary misses
/// and nothing is copied for the switch. The learned forecast runs at the start.
///
/// Rejected: mixing ranks of several rules (their scales have nothing to do with each other), and
/// following the last few events only (switching to and fro costs more than it finds).
struct GhostContest: Sendable {
  /// Events of memory: long enough that the noise of a few hundred hits does not decide.
  static let memoryEvents = 512.0
  /// The share of its hits by which a challenger must lead, and the hits besides: about two standard
  /// deviations of the difference of two rules that agree on nine experts of ten.
  static let leadShare = 0.005
  static let leadHits = 8.0

  /// The candidate whose ranks are in force.
  private(set) var running = Candidate.learned
  /// By candidate, hits of its ghost, fading.
  private(set) var hits: [Double]
  private var ghosts: [SlotTable]
  private let admission: Admission
  private var order: [Int] = []

  /// - Parameters:
  ///   - experts: of the cache that is ranked.
  ///   - slots: of that cache.
  ///   - admission: by which the ghosts play.
  init(experts: Int, slots: Int, admission: Admission) {
    self.admission = admission
    let count = Candidate.allCases.count
    hits = Array(repeating: 0, count: count)
    ghosts = Array(repeating: SlotTable(experts: experts, slots: 0..<slots), count: count)
  }

  /// Plays an event on all ghosts; `candidates` are the ranks after it.
  mutating func observe(
    _ event: LayerActivation, base: Int, history: UseHistory, candidates: CandidateRanks
  ) {
    for place in ghosts.indices {
      let outcome = ghosts[place].play(
        event, base: base, ranks: Ranks(values: candidates.values[place], history: history),
        admission: admission, order: &order)
      hits[place] += Double(outcome.hits) - hits[place] / Self.memoryEvents
    }
    var bestHits = hits[running.rawValue] * (1 + Self.leadShare) + Self.leadHits
    for candidate in Candidate.allCases where hits[candidate.rawValue] > bestHits {
      running = candidate
      bestHits = hits[candidate.rawValue]
    }
  }

  /// Gives all ghosts another number of slots.
  mutating func resize(slots: Int, history: UseHistory, candidates: CandidateRanks) {
    for place in ghosts.indices {
      while ghosts[place].slotCount < slots { ghosts[place].addSlot(ghosts[place].slotCount) }
      while ghosts[place].slotCount > slots {
        if !ghosts[place].hasFreeSlot,
          let lowest = ghosts[place].lowestRanked(
            candidates.values[place], history: history, sparing: { _ in false })
        {
          ghosts[place].evict(lowest)
        }
        _ = ghosts[place].removeFreeSlot()
      }
    }
  }
}
