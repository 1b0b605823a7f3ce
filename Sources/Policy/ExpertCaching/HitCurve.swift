/// How many hits each further slot of a layer's cache would bring.
///
/// Intuition: a cache of n slots that follows a rule holds, nearly, the n experts that the rule ranks
/// highest. So it is enough to note at which place of the ranking each activated expert stood just
/// before its event: those at places below n would have been hits with n slots. One pass measures all
/// sizes, as stack distances do for LRU (Mattson et al. 1970); for LRU it is exact.
///
/// Only events of one token count: a prompt activates nearly all experts, wherever they stand.
struct HitCurve: Sendable {
  /// Events of memory.
  static let memoryEvents = 512.0

  // Fading counts of activations, by place.
  private var counts: [Double]

  init(experts: Int) { counts = Array(repeating: 0, count: experts) }

  /// Notes an event; `ranks` are those from before it.
  /// - Complexity: O(activated × experts).
  mutating func observe(_ event: LayerActivation, ranks: Ranks) {
    guard event.tokens == 1 else { return }
    let kept = 1 - 1 / Self.memoryEvents
    for place in counts.indices { counts[place] *= kept }
    for index in event.activated {
      let (rank, recency) = (ranks.values[index], ranks.history.recency[index])
      var place = 0
      for other in counts.indices {
        let value = ranks.values[other]
        if value > rank || value == rank && ranks.history.recency[other] > recency { place += 1 }
      }
      counts[place] += 1
    }
  }

  /// Hits a cache of `slots` loses without its last slot, as a mean over the last few slots: single
  /// places are noisy.
  func loss(slots: Int) -> Double { mean(max(0, slots - width)..<slots) }

  /// Hits that one more slot would bring.
  func gain(slots: Int) -> Double { mean(slots..<min(counts.count, slots + width)) }

  /// The standard deviation of a gain or loss of this value: hits are counts.
  func deviation(_ value: Double) -> Double { (value / Double(width)).squareRoot() }

  private var width: Int { max(1, counts.count / 16) }

  private func mean(_ places: Range<Int>) -> Double {
    guard !places.isEmpty else { return 0 }
    var sum = 0.0
    for place in places { sum += counts[place] }
    return sum / Double(places.count)
  }
}
