import Experts

/// Follows every prefetch from its issue to its end, and measures whether it paid.
///
/// Intuition: the only honest measure of a prefetch is the layer it was for: how long would that
/// layer have taken without it? So, when a layer starts, the ledger builds the case as it would have
/// been: prefetched experts missing, the residents that they displaced still there, the link not
/// held up by their pieces; and compares the two makespans. Rejected: counting hits (a hit that the
/// idle CPU would have computed anyway saves nothing).
///
/// Limit: a displaced expert is charged at the next run of its layer only, and a prefetched expert
/// is credited at that run only.
public struct PrefetchLedger: Sendable {
  /// What the engine knows of a prefetched expert.
  private enum State: UInt8 {
    case none, onItsWay, unwanted, arrived
  }

  private struct Entry {
    var state = State.none
    var distance: UInt8 = 0
    var byteCount = 0
  }

  private let experts: Int
  private var entries: [Entry]
  private var open: [ExpertSet]
  private var displaced: [ExpertSet]
  public private(set) var statistics: PrefetchStatistics

  public init(layers: Int, experts: Int, distances: Int = 3) {
    precondition(layers > 0 && (1...ExpertSet.limit).contains(experts))
    self.experts = experts
    entries = Array(repeating: Entry(), count: layers * experts)
    open = Array(repeating: ExpertSet(), count: layers)
    displaced = Array(repeating: ExpertSet(), count: layers)
    statistics = PrefetchStatistics(layers: layers, distances: distances)
  }

  /// A chosen copy was queued and its victim has left the cache.
  public mutating func issue(_ choice: PrefetchChoice, byteCount: Int) {
    let expert = choice.expert
    entries[index(expert)] = Entry(
      state: .onItsWay, distance: UInt8(choice.distance), byteCount: byteCount)
    open[expert.layer].insert(expert.index)
    if let victim = choice.victim { displaced[victim.layer].insert(victim.index) }
    statistics.count(\.issued, layer: expert.layer, distance: choice.distance)
  }

  /// The last byte of an expert has arrived; experts that were not prefetched are none of its
  /// business.
  public mutating func arrive(_ expert: ExpertID) {
    let entry = entries[index(expert)]
    guard entry.state != .none else { return }
    statistics.count(
      \.byteCount, layer: expert.layer, distance: Int(entry.distance), by: entry.byteCount)
    if entry.state == .unwanted {
      settle(expert, as: \.redundant)
    } else {
      entries[index(expert)].state = .arrived
    }
  }

  /// An expert's copy was given up.
  public mutating func cancel(_ expert: ExpertID) {
    guard [.onItsWay, .unwanted].contains(entries[index(expert)].state) else { return }
    settle(expert, as: \.cancelled)
  }

  /// Whether an expert is resident only because of a prefetch whose layer has not run since.
  public func isPrefetched(_ expert: ExpertID) -> Bool {
    entries[index(expert)].state == .arrived
  }

  /// The routing of a layer is known: settles what was prefetched for it.
  ///
  /// - Parameters:
  ///   - actual: the layer's case as it is, with prefetched experts resident or arriving.
  ///   - heldUp: the part of its `linkFree` that is due to prefetches for other layers.
  ///   - source: tells what the case would have cost.
  /// - Returns: the microseconds that prefetching saved in this layer (cost it, if negative); `nil`
  ///   where it had no part in it.
  @discardableResult
  public mutating func layerStarts(
    _ layer: Int, actual: LayerCase, heldUp: Double = 0, source: inout some MakespanSource
  ) -> Double? {
    let hadPart = !open[layer].isEmpty || !displaced[layer].isEmpty || heldUp > 0
    let gain = hadPart ? gain(layer, actual: actual, heldUp: heldUp, source: &source) : nil
    var activated = ExpertSet()
    for expert in actual.experts { activated.insert(expert.index) }
    settleLayer(layer, activated: activated)
    displaced[layer] = ExpertSet()
    statistics.measuredGain += gain ?? 0
    return gain
  }

  private mutating func gain(
    _ layer: Int, actual: LayerCase, heldUp: Double, source: inout some MakespanSource
  ) -> Double {
    var without = actual
    without.linkFree = max(0, without.linkFree - heldUp)
    var differs = heldUp > 0
    for position in without.experts.indices {
      let index = without.experts[position].index
      if open[layer].contains(index), without.experts[position].residency != .missing {
        if case .arriving(let time) = without.experts[position].residency {
          without.linkFree = min(without.linkFree, max(0, actual.linkFree - time))
        }
        without.experts[position].residency = .missing
        differs = true
      } else if displaced[layer].contains(index), without.experts[position].residency == .missing {
        without.experts[position].residency = .resident
        differs = true
      }
    }
    guard differs else { return 0 }
    return source.makespan(of: without) - source.makespan(of: actual)
  }

  private mutating func settleLayer(_ layer: Int, activated: ExpertSet) {
    for index in 0..<experts where open[layer].contains(index) {
      let expert = ExpertID(layer: layer, index: index)
      switch (entries[self.index(expert)].state, activated.contains(index)) {
      case (.arrived, true): settle(expert, as: \.useful)
      case (.arrived, false): settle(expert, as: \.redundant)
      case (.onItsWay, true), (.unwanted, true): settle(expert, as: \.late)
      case (.onItsWay, false): entries[self.index(expert)].state = .unwanted
      case (.unwanted, false), (.none, _): break
      }
    }
  }

  private mutating func settle(_ expert: ExpertID, as key: WritableKeyPath<PrefetchCounts, Int>) {
    let distance = Int(entries[index(expert)].distance)
    statistics.count(key, layer: expert.layer, distance: distance)
    entries[index(expert)].state = .none
    open[expert.layer].remove(expert.index)
  }

  private func index(_ expert: ExpertID) -> Int { expert.layer * experts + expert.index }
}
