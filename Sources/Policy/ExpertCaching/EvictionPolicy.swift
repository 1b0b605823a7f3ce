/// A rule that ranks the experts of one cache by how much they deserve a slot.
///
/// A rule sees every event, whoever is resident, and its ranks do not depend on what is resident; so
/// one rule serves the running cache and any number of ghosts of other sizes. Experts are numbered
/// as in `UseHistory`.
public protocol EvictionPolicy: Sendable {
  /// Takes note of an event, after `history` has and before anything is admitted.
  ///
  /// - Parameter base: the number, within the cache, of the layer's first expert.
  mutating func observe(_ event: LayerActivation, base: Int, history: UseHistory)

  /// Writes each expert's rank, one for each expert of the cache. The victim is the resident with the
  /// lowest; of equal ones, that with the oldest recency.
  func fillRanks(_ ranks: inout [Double], history: UseHistory)
}

/// Rules by name.
public enum EvictionPolicies {
  /// What a rule may need to know to be made.
  public struct Setting: Sendable {
    public var layers: Int
    /// Experts of each layer.
    public var experts: Int
    /// Experts that each token is routed to.
    public var topK: Int
    public var scope: CacheScope
    /// The weight of the newest scores in MRS, above 0 and at most 1.
    public var mrsAlpha = 0.5
    /// For `static`: how popular each expert of the cache is.
    public var popularity: [Double] = []

    public init(layers: Int, experts: Int, topK: Int, scope: CacheScope) {
      self.layers = layers
      self.experts = experts
      self.topK = topK
      self.scope = scope
    }

    /// Experts that share one cache.
    public var universe: Int { scope == .layer ? experts : layers * experts }
    /// Layers that share one cache.
    public var layersOfCache: Int { scope == .layer ? 1 : layers }
  }

  /// A rule for one cache; `nil` for `auto` and `min`, which need more than a setting.
  public static func named(_ name: EvictionName, _ setting: Setting) -> (any EvictionPolicy)? {
    switch name {
    case .lru: LRU()
    case .lfu: LFU()
    case .lfru: LFRU()
    case .mrs: MRS(experts: setting.universe, alpha: setting.mrsAlpha)
    case .workload: WorkloadWindow(layers: setting.layersOfCache, experts: setting.experts)
    case .leastStale: LeastStale(layers: setting.layersOfCache, experts: setting.experts)
    case .static: StaticFrequency(popularity: setting.popularity)
    case .auto, .min: nil
    }
  }
}
