/// What became of prefetched experts.
///
/// `issued` = `useful` + `late` + `redundant` + `cancelled` + those still open.
public struct PrefetchCounts: Equatable, Sendable {
  /// Copies that were queued.
  public var issued = 0
  /// Resident when their layer started, and activated: each would have been a miss.
  public var useful = 0
  /// Activated, but still on their way: a miss with a shorter copy.
  public var late = 0
  /// Arrived for nothing: their layer did not activate them.
  public var redundant = 0
  /// Given up before they were whole.
  public var cancelled = 0
  /// Bytes of the experts that arrived.
  public var byteCount = 0

  public init() {}

  /// Of those whose fate is known, the part that was useful, in per cent; `nil` where none is.
  public var usefulPercent: Double? {
    let settled = useful + late + redundant + cancelled
    return settled == 0 ? nil : 100 * Double(useful) / Double(settled)
  }

  /// Adds up counts, such as those of all layers.
  public static func + (left: PrefetchCounts, right: PrefetchCounts) -> PrefetchCounts {
    var sum = left
    sum.issued += right.issued
    sum.useful += right.useful
    sum.late += right.late
    sum.redundant += right.redundant
    sum.cancelled += right.cancelled
    sum.byteCount += right.byteCount
    return sum
  }
}

/// The outcomes of a run's prefetches, by layer and by distance.
public struct PrefetchStatistics: Equatable, Sendable {
  /// By the MoE layer that the copies were for.
  public internal(set) var byLayer: [PrefetchCounts]
  /// By how far ahead they were decided; the first entry is distance 1.
  public internal(set) var byDistance: [PrefetchCounts]
  /// Microseconds that the layers' plans were shorter than without prefetching (longer, if
  /// negative), as far as they were judged.
  public internal(set) var measuredGain = 0.0

  public init(layers: Int, distances: Int) {
    byLayer = Array(repeating: PrefetchCounts(), count: layers)
    byDistance = Array(repeating: PrefetchCounts(), count: distances)
  }

  /// Over all layers.
  public var total: PrefetchCounts { byDistance.reduce(PrefetchCounts(), +) }

  mutating func count(
    _ key: WritableKeyPath<PrefetchCounts, Int>, layer: Int, distance: Int, by amount: Int = 1
  ) {
    byLayer[layer][keyPath: key] += amount
    byDistance[distance - 1][keyPath: key] += amount
  }
}
