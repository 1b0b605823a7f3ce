import Experts

/// What `TraceStatistics` is to replay: every combination of these.
public struct ReplayRequest: Sendable {
  /// Shares of a layer's experts that fit into its cache, above 0 and at most 1.
  public var capacities: [Double]
  public var scope: CacheScope
  /// Rules, each at most once.
  public var evictions: [EvictionName]
  public var admissions: [Admission]
  /// The weight of the newest scores in MRS; the paper's is 0.5.
  public var mrsAlpha: Double

  /// A request; without `evictions`, for all rules that the scope has.
  public init(
    capacities: [Double], scope: CacheScope = .layer, evictions: [EvictionName]? = nil,
    admissions: [Admission] = Admission.allCases, mrsAlpha: Double = 0.5
  ) {
    self.capacities = capacities
    self.scope = scope
    self.evictions = evictions ?? EvictionName.allCases.filter { $0.isDefined(in: scope) }
    self.admissions = admissions
    self.mrsAlpha = mrsAlpha
  }

  /// - Throws: `CachingError` with the first thing that is wrong.
  public func validate() throws(CachingError) {
    for capacity in capacities where !(capacity > 0 && capacity <= 1) {
      throw .badCapacity(capacity)
    }
    for name in evictions where !name.isDefined(in: scope) { throw .wrongScope(name) }
    guard mrsAlpha > 0, mrsAlpha <= 1 else { throw .badAlpha(mrsAlpha) }
  }

  /// The admissions that a rule has among those asked for.
  func admissions(of name: EvictionName) -> [Admission] {
    admissions.filter { $0 == .forced || name.hasBypass }
  }
}

/// One line of the result: a rule at a capacity, in one phase.
public struct ReplayResult: Equatable, Sendable {
  public var capacity: Double
  /// Slots of one cache: of each layer, or with global scope of all layers.
  public var slots: Int
  public var eviction: EvictionName
  public var admission: Admission
  public var phase: Phase
  public var statistics: CacheStatistics
  /// The hit rate as a share of MIN's, 0 to 1; `nil` where MIN was not replayed.
  public var ofMIN: Double?
}
