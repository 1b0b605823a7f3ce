import Experts

/// What a cache did for one phase, counted over its events.
public struct CacheStatistics: Equatable, Sendable {
  public var events = 0
  /// Distinct activated experts, summed over events.
  public var activated = 0
  /// Those that were resident when their event started, prefetched ones apart.
  public var hits = 0
  /// Those that were resident only because a prefetch brought them since their layer last ran.
  public var prefetched = 0
  public var admitted = 0
  public var evicted = 0

  public init() {}

  /// Hits among the activated, 0 to 1; 0 where nothing was activated.
  public var hitRate: Double { activated == 0 ? 0 : Double(hits) / Double(activated) }

  /// Hits and prefetched experts among the activated, 0 to 1.
  public var readyRate: Double {
    activated == 0 ? 0 : Double(hits + prefetched) / Double(activated)
  }

  /// The hit rate as a share of that of `MIN` on the same events; 1 where `MIN` has no hit either.
  public func share(ofMIN bound: CacheStatistics) -> Double {
    bound.hits == 0 ? 1 : Double(hits) / Double(bound.hits)
  }

  public mutating func add(_ outcome: EventOutcome) {
    events += 1
    activated += outcome.activated
    hits += outcome.hits
    prefetched += outcome.prefetched
    admitted += outcome.admitted
    evicted += outcome.evicted
  }
}

/// Statistics of both phases.
public struct PhaseStatistics: Equatable, Sendable {
  public var prefill = CacheStatistics()
  public var decode = CacheStatistics()

  public init() {}

  public subscript(phase: Phase) -> CacheStatistics {
    get { phase == .prefill ? prefill : decode }
    set { if phase == .prefill { prefill = newValue } else { decode = newValue } }
  }
}
