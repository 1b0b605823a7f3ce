import ExpertCaching
import Experts

extension SystemDescription {
  /// Slots that every system has beside its cache for copies on demand: one that is being copied into
  /// while the GPU reads the other.
  static let stagingSlots = 2
  /// Slots that every system with prefetching has beside its cache for copies ahead that do not go
  /// into it.
  static let ringSlots = 2

  /// Slots of the ring through which a prefill's copies ahead go.
  func ringSlots(_ machine: SimulatedMachine) -> Int {
    guard prefetching != .off else { return 0 }
    return Self.ringSlots + takenSlots(machine)
  }

  /// All slots that the system has: what a bound has to grant it.
  public func allSlots(_ machine: SimulatedMachine) -> Int {
    slots(experts: machine.expertCount) * machine.layerCount + Self.stagingSlots + Self.ringSlots
  }

  /// Slots that streaming takes from the cache: what the link can bring while the next layer's
  /// attention runs, beyond the slots that are there anyway. Where copies are slow that is nothing;
  /// where many fit, a hit less in a prefill buys a copy ahead in every layer.
  private func takenSlots(_ machine: SimulatedMachine) -> Int {
    let each = slots(experts: machine.expertCount)
    guard streamsPrefill, each > 1 else { return 0 }
    if let streamSlots { return min(streamSlots, machine.layerCount) }
    let tokens = Self.streamedPromptTokens
    let attention = machine.attentionMicroseconds(layer: 0, tokens: tokens, context: tokens)
    let copy = machine.layerCosts(tokens: tokens)[0].linkPerExpertAlone
    let most = min(machine.layerCount, each * machine.layerCount / 16)
    guard copy > 0, attention / copy < Double(most) else { return copy > 0 ? most : 0 }
    return max(0, Int((attention / copy).rounded(.up)) - Self.ringSlots)
  }

  /// The prompt that the ring's size is chosen for.
  private static let streamedPromptTokens = 512

  /// The cache's slots in each layer: the same everywhere, less those that the ring took, from the
  /// last layers on; or whole layers.
  func slotsByLayer(_ machine: SimulatedMachine) -> [Int] {
    let experts = machine.expertCount
    let each = slots(experts: experts)
    if initialResidency == .wholeLayers {
      let whole = each * machine.layerCount / experts
      return (0..<machine.layerCount).map { $0 < whole ? experts : 1 }
    }
    var result = Array(repeating: each, count: machine.layerCount)
    for index in 0..<takenSlots(machine) {
      result[machine.layerCount - 1 - index] -= 1
    }
    return result
  }
}

extension SystemDescription {
  /// What each layer's slots hold at the start, where they are filled by popularity: [layers].
  ///
  /// The slots of a prefill's ring are counted in, although the system that has one takes them from
  /// these.
  func residentsByPopularity(_ machine: SimulatedMachine, _ popularity: [Double]) -> [ExpertSet] {
    var system = self
    system.initialResidency = .popularity
    let slots = slots(experts: machine.expertCount)
    return (0..<machine.layerCount).map { layer in
      ExpertSet(Simulator.first(system, layer, slots, machine.expertCount, popularity))
    }
  }
}

extension Simulator {
  /// The cache with its first residents.
  static func makeCache(
    _ machine: SimulatedMachine, _ system: SystemDescription, slots: [Int], popularity: [Double]
  ) throws(SimulationError) -> ExpertCache {
    var configuration = CacheConfiguration(
      layers: machine.layerCount, experts: machine.expertCount, activated: machine.activatedCount,
      slotsPerLayer: 1)
    configuration.slots = slots
    configuration.eviction = system.eviction ?? .lru
    configuration.admission = system.admission
    configuration.popularity = popularity
    configuration.movesSlots = system.movesSlots
    var cache: ExpertCache
    do { cache = try ExpertCache(configuration) } catch { throw .description("\(error).") }
    for layer in 0..<machine.layerCount {
      for index in first(system, layer, slots[layer], machine.expertCount, popularity) {
        cache.insert(ExpertID(layer: layer, index: index), phase: .prefill)
      }
    }
    return cache
  }

  fileprivate static func first(
    _ system: SystemDescription, _ layer: Int, _ slots: Int, _ experts: Int, _ popularity: [Double]
  ) -> [Int] {
    let all = Array(0..<experts)
    switch system.initialResidency {
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
