import ExpertCaching
import Experts

extension SystemDescription {
  /// Slots that every system has beside its cache for copies on demand: one that is being copied into
  /// while the GPU reads the other.
  public static let stagingSlots = 2
  /// Slots that every system with prefetching has beside its cache for copies ahead that do not go
  /// into it.
  public static let ringSlots = 2
  /// Slots for copies into the cache that have begun and not ended: one that is all handed over, and
  /// one of each background class whose rest waits for something more urgent.
  public static let backgroundSlots = 3

  /// Slots of the ring through which a prefill's copies ahead go.
  public func ringSlots(_ lanes: some LaneCosts) -> Int {
    guard prefetching != .off else { return 0 }
    return Self.ringSlots + takenSlots(lanes)
  }

  /// All slots that the system has: what a bound has to grant it.
  public func allSlots(_ lanes: some LaneCosts) -> Int {
    slots(layers: lanes.layerCount, experts: lanes.expertCount).reduce(0, +) + Self.stagingSlots
      + Self.ringSlots
  }

  /// Physical slots that the engine needs beside those of `slotsByLayer`, so that every copy finds
  /// one: the staging slots, the ring, and, where copies go into the cache behind a plan's back,
  /// places for those that have begun.
  ///
  /// A copy ahead or a fill only takes its victim's slot when it is whole, so until then it lies in
  /// one of these; then the victim's slot takes the place of that. A prefill's ring is empty in
  /// decode and serves the copies ahead there.
  public func extraSlots(_ lanes: some LaneCosts) -> Int {
    placesForCopies(lanes) + (copiesBehindPlans ? Self.backgroundSlots : 0)
  }

  /// Places for what plans copy on demand and for a prefill's ring, which is empty in decode.
  ///
  /// In decode, all experts of a token may have to be kept until their layer ends, where a wrong
  /// guess is on its way into its slots.
  func placesForCopies(_ lanes: some LaneCosts) -> Int {
    max(Self.stagingSlots + ringSlots(lanes), copiesBehindPlans ? lanes.activatedCount : 0)
  }

  private var copiesBehindPlans: Bool { eviction != nil && (fills || prefetching != .off) }

  /// Slots that streaming takes from the cache: what the link can bring while the next layer's
  /// attention runs, beyond the slots that are there anyway. Where copies are slow that is nothing;
  /// where many fit, a hit less in a prefill buys a copy ahead in every layer.
  private func takenSlots(_ lanes: some LaneCosts) -> Int {
    let slots = slots(layers: lanes.layerCount, experts: lanes.expertCount)
    let giving = slots.count { $0 > 1 }
    guard streamsPrefill, giving > 0 else { return 0 }
    if let streamSlots { return min(max(0, streamSlots), giving) }
    let tokens = Self.streamedPromptTokens
    let attention = lanes.attentionMicroseconds(layer: 0, tokens: tokens, context: tokens)
    let copy = lanes.layerCosts(tokens: tokens)[0].linkPerExpertAlone
    let most = min(giving, slots.reduce(0, +) / 16)
    guard copy > 0, attention / copy < Double(most) else { return copy > 0 ? most : 0 }
    return max(0, Int((attention / copy).rounded(.up)) - Self.ringSlots)
  }

  /// The prompt that the ring's size is chosen for.
  private static let streamedPromptTokens = 512

  /// The cache's slots in each layer: the same everywhere, or as they are given, less those that the
  /// ring took, from the last layers on; or whole layers.
  public func slotsByLayer(_ lanes: some LaneCosts) -> [Int] {
    let experts = lanes.expertCount
    var result = slots(layers: lanes.layerCount, experts: experts)
    if initialResidency == .wholeLayers, layerSlots == nil {
      let whole = result.reduce(0, +) / experts
      return (0..<lanes.layerCount).map { $0 < whole ? experts : 1 }
    }
    var taken = takenSlots(lanes)
    for layer in result.indices.reversed() where taken > 0 && result[layer] > 1 {
      result[layer] -= 1
      taken -= 1
    }
    return result
  }
}

extension SystemDescription {
  /// What each layer's slots hold at the start, where they are filled by popularity: [layers].
  ///
  /// The slots of a prefill's ring are counted in, although the system that has one takes them from
  /// these.
  public func residentsByPopularity(
    _ lanes: some LaneCosts, _ popularity: [Double]
  ) -> [ExpertSet] {
    var system = self
    system.initialResidency = .popularity
    let slots = slots(layers: lanes.layerCount, experts: lanes.expertCount)
    return (0..<lanes.layerCount).map { layer in
      ExpertSet(
        system.firstResidents(
          layer, slots: slots[layer], experts: lanes.expertCount, popularity: popularity))
    }
  }

  /// The cache with its first residents.
  func makeCache(
    _ lanes: some LaneCosts, popularity: [Double]
  ) throws(DirectionError) -> ExpertCache {
    let slots = slotsByLayer(lanes)
    guard slots.count == lanes.layerCount else {
      throw .description(
        "Slots are given for \(slots.count) layers, but the model has \(lanes.layerCount) with "
          + "experts.")
    }
    var configuration = CacheConfiguration(
      layers: lanes.layerCount, experts: lanes.expertCount, activated: lanes.activatedCount,
      slotsPerLayer: 1)
    // A cache begins with at least one slot a layer; those that are too many go at once.
    configuration.slots = slots.map { max(1, $0) }
    configuration.eviction = eviction ?? .lru
    configuration.admission = admission
    configuration.popularity = popularity
    configuration.movesSlots = movesSlots
    var cache: ExpertCache
    do { cache = try ExpertCache(configuration) } catch { throw .description("\(error).") }
    for layer in 0..<lanes.layerCount {
      if slots[layer] == 0 { cache.removeFreeSlot(ofLayer: layer) }
      let first = firstResidents(
        layer, slots: slots[layer], experts: lanes.expertCount, popularity: popularity)
      for index in first { cache.insert(ExpertID(layer: layer, index: index), phase: .prefill) }
    }
    return cache
  }

  private func firstResidents(
    _ layer: Int, slots: Int, experts: Int, popularity: [Double]
  ) -> [Int] {
    let all = Array(0..<experts)
    switch initialResidency {
    case .empty: return []
    case .evenly: return Array(all.prefix(slots))
    // A layer that is not wholly there is the CPU's, so its slots are of no use.
    case .wholeLayers: return slots == experts ? all : []
    case .popularity:
      guard popularity.count >= (layer + 1) * experts else { return Array(all.prefix(slots)) }
      let base = layer * experts
      return Array(
        all.sorted { (popularity[base + $1], $0) < (popularity[base + $0], $1) }.prefix(slots))
    }
  }
}
