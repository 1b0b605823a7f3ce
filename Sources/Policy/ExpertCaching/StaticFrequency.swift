/// Keeps the experts that are known beforehand to be popular, as systems with a fixed placement do
/// (kTransformers' popularity placement, Fiddler).
///
/// The rule: the resident with the lowest popularity goes, then the oldest recency. The popularity is
/// given and never changes; with bypass the cache becomes the most popular experts and stays so. In
/// `TraceStatistics` the popularity is counted over the very trace that is replayed, so the result
/// is the best that any fixed placement reaches, not what one from another text would.
public struct StaticFrequency: EvictionPolicy {
  private let popularity: [Double]

  /// - Parameter popularity: one number for each expert of the cache, all 0 where it is empty.
  public init(popularity: [Double]) { self.popularity = popularity }

  public mutating func observe(_ event: LayerActivation, base: Int, history: UseHistory) {}

  public func fillRanks(_ ranks: inout [Double], history: UseHistory) {
    for expert in ranks.indices {
      ranks[expert] = popularity.indices.contains(expert) ? popularity[expert] : 0
    }
  }
}
