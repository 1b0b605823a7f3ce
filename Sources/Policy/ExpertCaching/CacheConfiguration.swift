/// What an expert cache is made from.
public struct CacheConfiguration: Sendable {
  /// MoE layers.
  public var layers: Int
  /// Experts of each layer.
  public var experts: Int
  /// Experts that each token is routed to.
  public var activated: Int
  /// Slots of each layer: [layers]. With global scope the sum counts.
  public var slots: [Int]
  public var scope = CacheScope.layer
  public var eviction = EvictionName.auto
  /// Rules that cannot rank a newcomer (`EvictionName.hasBypass`) always admit.
  public var admission = Admission.bypass
  /// The weight of the newest scores in MRS; the paper's is 0.5.
  public var mrsAlpha = 0.5
  /// How popular each expert is, known beforehand: [layers, experts]; `static` needs it.
  public var popularity: [Double] = []
  /// Whether slots move from layers that gain little by them to layers that gain more, while the
  /// total stays; without effect in the global scope, where all layers share all slots anyway.
  public var movesSlots = false
  /// Bytes of an expert of each layer, [layers]; empty where all are of one size. Slots only move
  /// between layers whose experts are of the same size.
  public var expertBytes: [Int] = []

  /// A configuration with the same number of slots in every layer.
  public init(layers: Int, experts: Int, activated: Int, slotsPerLayer: Int) {
    self.layers = layers
    self.experts = experts
    self.activated = activated
    slots = Array(repeating: slotsPerLayer, count: Swift.max(0, layers))
  }

  /// The slots that a share of a layer's experts comes to: rounded, half away from zero, at least 1.
  public static func slots(capacity: Double, experts: Int) -> Int {
    Swift.max(1, Int((capacity * Double(experts)).rounded(.toNearestOrAwayFromZero)))
  }

  /// - Throws: `CachingError` with the first thing that is wrong.
  public func validate() throws(CachingError) {
    guard layers > 0, experts > 0, activated > 0, activated <= experts else {
      throw .badShape(layers: layers, experts: experts, activated: activated)
    }
    guard slots.count == layers, slots.allSatisfy({ $0 >= 1 && $0 <= experts }) else {
      throw .badSlots(slots, layers: layers, experts: experts)
    }
    guard eviction != .min else { throw .offlineRule }
    guard eviction.isDefined(in: scope) else { throw .wrongScope(eviction) }
    guard expertBytes.isEmpty || expertBytes.count == layers else {
      throw .badExpertBytes(found: expertBytes.count, expected: layers)
    }
    guard mrsAlpha > 0, mrsAlpha <= 1 else { throw .badAlpha(mrsAlpha) }
    let isKnown = popularity.count == layers * experts
    guard isKnown || popularity.isEmpty && eviction != .static else {
      throw .badPopularity(found: popularity.count, expected: layers * experts)
    }
  }
}

/// Why a cache or a replay cannot be set up.
public enum CachingError: Error, Equatable, CustomStringConvertible {
  case badShape(layers: Int, experts: Int, activated: Int)
  case badSlots([Int], layers: Int, experts: Int)
  case badAlpha(Double)
  case badPopularity(found: Int, expected: Int)
  case badExpertBytes(found: Int, expected: Int)
  case badCapacity(Double)
  case offlineRule
  case wrongScope(EvictionName)

  public var description: String {
    switch self {
    case .badShape(let layers, let experts, let activated):
      "a model of \(layers) layers with \(experts) experts, \(activated) activated, has no expert "
        + "cache; layers and experts must be at least 1, activated from 1 to the experts"
    case .badSlots(let slots, let layers, let experts):
      "an expert cache of \(layers) layers needs as many slot counts, each from 1 to \(experts); "
        + "there are \(slots.count), \(slots.first { $0 < 1 || $0 > experts } ?? 0) among them"
    case .badAlpha(let alpha):
      "the weight of new scores in MRS is \(alpha), but must be above 0 and at most 1"
    case .badPopularity(let found, let expected):
      found == 0
        ? "a cache that never changes needs to know how often each expert is used, which nothing has "
          + "counted yet for this model; run once with another --eviction, or name another"
        : "the popularity of experts has \(found) numbers, but the model has \(expected) experts; a "
          + "static cache needs as many"
    case .badExpertBytes(let found, let expected):
      "the sizes of experts are \(found) numbers, but the model has \(expected) layers"
    case .badCapacity(let capacity):
      "a cache's capacity is \(capacity), but must be above 0 and at most 1"
    case .offlineRule:
      "the rule 'min' knows the future and can only judge a recorded trace; choose another for a run"
    case .wrongScope(let name):
      "the rule '\(name.rawValue)' needs one cache over all layers; use the scope 'global'"
    }
  }
}
