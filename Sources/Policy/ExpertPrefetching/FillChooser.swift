import Experts

/// A copy of a miss that the CPU has computed, for the steps to come.
public struct FillChoice: Equatable, Sendable {
  public var expert: ExpertID
  /// The resident whose slot it takes; `nil` where a slot is free.
  public var victim: ExpertID?
  /// Microseconds that the next run of the layer is expected to save.
  public var expectedGain: Double
}

/// Chooses, after a layer, which of the misses that the CPU computed are worth a slot.
///
/// Intuition: admission in a hybrid engine is a choice, because the CPU can compute a miss without
/// any copy. The link is often idle, so the copy itself is nearly free; what it costs is the victim.
///
/// Rule: the most probable miss is set against the least valuable victim, and so on in pairs, while
/// the miss is worth more by the margin and what the copy delays. Rejected: admitting every miss (at
/// small caches that is what makes LRU thrash).
public struct FillChooser: Sendable {
  /// How much likelier than its victim a miss must be, so that two alike do not change places for
  /// ever; a factor.
  public let margin: Double

  public init(margin: Double = 1.1) {
    precondition(margin >= 1)
    self.margin = margin
  }

  /// Replaces the contents of `choices`, the most worthwhile first.
  ///
  /// - Parameters:
  ///   - misses: with the cache's estimate that the layer's next run activates them.
  ///   - victims: residents that may go, the first to go first.
  ///   - hitValue: microseconds that one more hit of this layer saves.
  ///   - delay: microseconds by which a fill is expected to hold up other copies.
  public func choose(
    misses: [RatedExpert], victims: [RatedExpert], freeSlots: Int, hitValue: Double,
    delay: Double = 0, into choices: inout [FillChoice]
  ) {
    choices.removeAll(keepingCapacity: true)
    var taken = ExpertSet()
    while let best = mostProbable(misses, without: taken) {
      taken.insert(best)
      let place = choices.count - freeSlots
      guard place < victims.count else { return }
      let victim = place < 0 ? nil : victims[place]
      let loss = (victim?.activationProbability ?? 0) * margin
      let gain = (misses[best].activationProbability - loss) * hitValue - delay
      guard gain > 0 else { return }
      choices.append(
        FillChoice(expert: misses[best].expert, victim: victim?.expert, expectedGain: gain))
    }
  }

  private func mostProbable(_ misses: [RatedExpert], without taken: ExpertSet) -> Int? {
    var best: Int?
    for position in misses.indices where !taken.contains(position) {
      let probability = misses[position].activationProbability
      if best.map({ probability > misses[$0].activationProbability }) ?? true { best = position }
    }
    return best
  }
}
