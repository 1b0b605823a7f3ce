/// What an event found in a cache and did to it.
public struct EventOutcome: Equatable, Sendable {
  /// Distinct activated experts.
  public var activated = 0
  /// Those that were resident when the event started, and not only by a prefetch.
  public var hits = 0
  /// Those that were resident only because a prefetch brought them since their layer last ran.
  public var prefetched = 0
  /// Experts that entered the cache.
  public var admitted = 0
  /// Residents that lost their slot.
  public var evicted = 0

  public init() {}
}

extension SlotTable {
  /// Counts what an event finds resident; takes the layer's prefetch marks away, for its layer now
  /// runs.
  mutating func judge(_ event: LayerActivation, base: Int) -> EventOutcome {
    var outcome = EventOutcome()
    outcome.activated = event.activated.count
    for index in event.activated where isResident(base + index) {
      if isPrefetched(base + index) { outcome.prefetched += 1 } else { outcome.hits += 1 }
    }
    clearPrefetchMarks(base..<base + event.experts)
    return outcome
  }

  /// Plays one event as the classical policies do, where nothing else moves experts: judges it, then
  /// admits misses. `ranks` are those after the event.
  ///
  /// - Parameter order: memory for sorting, kept by the caller.
  /// - Complexity: O(experts + misses × slots).
  mutating func play(
    _ event: LayerActivation, base: Int, ranks: Ranks, admission: Admission, order: inout [Int]
  ) -> EventOutcome {
    var outcome = judge(event, base: base)
    let before = residentCount
    switch admission {
    case .forced:
      if event.activated.count <= slotCount {
        outcome.admitted = admitAll(event, base: base, ranks: ranks)
      } else {
        outcome.admitted = becomeEvent(event, base: base, ranks: ranks, order: &order)
      }
    case .bypass:
      if let offline = ranks.offline {
        outcome.admitted = keepNearest(event, base: base, offline: offline, order: &order)
      } else {
        outcome.admitted = admitWorthy(event, base: base, ranks: ranks, order: &order)
      }
    }
    outcome.evicted = before + outcome.admitted - residentCount
    return outcome
  }

  // Every miss enters; |A| is at most the number of slots, so a victim outside A always exists.
  private mutating func admitAll(_ event: LayerActivation, base: Int, ranks: Ranks) -> Int {
    var admitted = 0
    for index in event.activated where !isResident(base + index) {
      let victim =
        hasFreeSlot
        ? nil : lowestRanked(ranks, sparing: event, base: base)
      insert(base + index, replacing: victim)
      admitted += 1
    }
    return admitted
  }

  // More experts than slots: the cache becomes the experts with the highest load in this event (MIN:
  // the nearest next use), ties by first appearance.
  private mutating func becomeEvent(
    _ event: LayerActivation, base: Int, ranks: Ranks, order: inout [Int]
  ) -> Int {
    order.removeAll(keepingCapacity: true)
    order.append(contentsOf: event.activated)
    if let offline = ranks.offline {
      insertionSort(&order) { offline.nextUse(of: base + $0) < offline.nextUse(of: base + $1) }
    } else {
      insertionSort(&order) { event.loads[$0] > event.loads[$1] }
    }
    order.removeLast(order.count - slotCount)
    for place in occupants.indices {
      let expert = occupants[place]
      guard expert >= 0, !order.contains(expert - base) else { continue }
      evict(expert)
    }
    var admitted = 0
    for index in order where !isResident(base + index) {
      insert(base + index, replacing: nil)
      admitted += 1
    }
    return admitted
  }

  // A miss enters a free slot, or the slot of the lowest resident outside A if it ranks higher.
  private mutating func admitWorthy(
    _ event: LayerActivation, base: Int, ranks: Ranks, order: inout [Int]
  ) -> Int {
    order.removeAll(keepingCapacity: true)
    for index in event.activated where !isResident(base + index) { order.append(index) }
    insertionSort(&order) { event.loads[$0] > event.loads[$1] }
    var admitted = 0
    for index in order {
      var victim: Int?
      if !hasFreeSlot {
        victim = lowestRanked(ranks, sparing: event, base: base)
        guard let victim else { break }
        guard ranks.values[base + index] > ranks.values[victim] else { continue }
      }
      insert(base + index, replacing: victim)
      admitted += 1
    }
    return admitted
  }

  // MIN's optimum with bypass: of residents and A together, those with the nearest next use stay.
  private mutating func keepNearest(
    _ event: LayerActivation, base: Int, offline: OfflineMIN, order: inout [Int]
  ) -> Int {
    order.removeAll(keepingCapacity: true)
    for expert in occupants where expert >= 0 { order.append(expert) }
    for index in event.activated where !isResident(base + index) { order.append(base + index) }
    order.sort { (offline.nextUse(of: $0), $0) < (offline.nextUse(of: $1), $1) }
    for expert in order.dropFirst(slotCount) where isResident(expert) { evict(expert) }
    var admitted = 0
    for expert in order.prefix(slotCount) where !isResident(expert) {
      insert(expert, replacing: nil)
      admitted += 1
    }
    return admitted
  }

  private func lowestRanked(_ ranks: Ranks, sparing event: LayerActivation, base: Int)
    -> Int?
  {
    lowestRanked(ranks.values, history: ranks.history) { expert in
      let index = expert - base
      return index >= 0 && index < event.experts && event.loads[index] > 0
    }
  }
}

/// Sorts a short array in place, keeping the order of equal elements; unlike the library's `sort` it
/// never allocates, and it takes one pass where all are equal, as in decode.
func insertionSort(_ order: inout [Int], by isBefore: (Int, Int) -> Bool) {
  for next in order.indices.dropFirst() {
    let element = order[next]
    var place = next
    while place > 0, isBefore(element, order[place - 1]) {
      order[place] = order[place - 1]
      place -= 1
    }
    order[place] = element
  }
}
