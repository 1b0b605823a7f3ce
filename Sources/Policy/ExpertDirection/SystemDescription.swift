import ExpertCaching
import ExpertScheduling
import Experts

/// A whole system to run or to simulate: who plans layers, what is cached, and what is copied ahead.
///
/// A scheduler's name stands for the system that it comes from (`init(_:)`); every part can then be
/// changed, which is how ablations are made.
public struct SystemDescription: Equatable, Sendable {
  /// Which experts the slots hold before the first token.
  public enum InitialResidency: String, CaseIterable, Sendable {
    /// The most popular experts of each layer, as kept from earlier runs of the model.
    case popularity
    /// The first experts of each layer, whatever their popularity: nothing is known.
    case evenly
    /// All experts of the first layers, as far as all slots together go.
    case wholeLayers = "whole-layers"
    case empty
  }

  /// Who chooses what the idle link copies for the layers ahead.
  public enum Prefetching: String, CaseIterable, Sendable {
    case off
    /// The next layer's most probable experts.
    case nextLayer = "next-layer"
    /// The paper's rule: impact on the next three layers, as if all predictions were true.
    case paper
    /// Ours: expected gain, calibrated, less what it delays and displaces.
    case impact
  }

  public var scheduler: SchedulerName
  /// `nil`: residency is fixed and never changes.
  public var eviction: EvictionName?
  public var admission: Admission
  /// The share of each layer's experts that the slots hold.
  public var cacheRatio: Double
  /// Slots of each layer, in place of `cacheRatio`.
  public var cacheSlots: Int?
  /// Slots of each layer one by one, [layers], in place of both: what a planner chose.
  public var layerSlots: [Int]?
  public var prefetching: Prefetching
  /// Experts prefetched for a layer at most; `nil` leaves it to the prefetcher.
  public var prefetchSize: Int?
  /// Whether misses that the CPU computed are copied afterwards, in idle link time.
  public var fills: Bool
  public var initialResidency: InitialResidency
  /// Whether slots move from layers that gain little by them to layers that gain more.
  public var movesSlots = false
  /// Whether a prefill's idle link brings the next layer's experts into a ring of slots that is
  /// taken from the cache.
  public var streamsPrefill = false
  /// Slots that this ring takes from the cache, beside those that every system has; `nil` leaves it
  /// to the costs.
  public var streamSlots: Int?

  /// The system that a scheduler's name stands for.
  ///
  /// - `hybrimoe-paper`: LRU's place is taken by MRS, on-demand copies enter the cache.
  /// - `ktransformers`: residency by activation frequency, measured beforehand, and fixed.
  /// - `llamacpp`: the first layers wholly on the GPU, the others on the CPU.
  /// - `adapmoe`: GPU only, LRU, the next layer's experts ahead.
  /// - `dali`: workload window. `freetoken`: LRU.
  public init(_ name: SchedulerName, cacheRatio: Double) {
    scheduler = name
    self.cacheRatio = cacheRatio
    eviction = nil
    admission = .forced
    prefetching = .off
    fills = false
    initialResidency = .popularity
    switch name {
    case .hybrimoe:
      eviction = .auto
      admission = .bypass
      prefetching = .impact
      fills = true
      streamsPrefill = true
    case .hybrimoePaper:
      eviction = .mrs
      prefetching = .paper
    case .llamacpp: initialResidency = .wholeLayers
    case .adapmoe:
      eviction = .lru
      prefetching = .nextLayer
    case .dali: eviction = .workload
    case .freetoken, .allGPU: eviction = .lru
    case .ktransformers, .allCPU: break
    }
  }

  /// Experts that the paper's prefetching copies for a layer at most: the paper names none, and one
  /// reproduces its ablation (decode 0.21 → 0.18 s by prefetching alone), which more do not.
  public static let paperPrefetchSize = 1

  /// Experts prefetched for a layer at most; `nil`: as many as the prefetcher wants.
  public var prefetchLimit: Int? {
    prefetchSize ?? (prefetching == .paper ? Self.paperPrefetchSize : nil)
  }

  /// Slots of each layer, where all have the same.
  public func slots(experts: Int) -> Int {
    cacheSlots ?? CacheConfiguration.slots(capacity: cacheRatio, experts: experts)
  }

  /// Slots of every layer, before a prefill's ring takes some: [layers].
  public func slots(layers: Int, experts: Int) -> [Int] {
    layerSlots ?? Array(repeating: slots(experts: experts), count: layers)
  }

  /// - Throws: `DirectionError.description` with the first thing that makes no sense.
  public func validate(experts: Int) throws(DirectionError) {
    guard cacheRatio >= 0, cacheRatio <= 1 else {
      throw .description("The cache ratio is \(cacheRatio), but must be from 0 to 1.")
    }
    if let cacheSlots, cacheSlots < 0 || cacheSlots > experts {
      throw .description(
        "\(cacheSlots) slots a layer are asked for, but must be from 0 to the \(experts) experts.")
    }
    if let layerSlots, let wrong = layerSlots.first(where: { $0 < 0 || $0 > experts }) {
      throw .description(
        "\(wrong) slots of a layer are asked for, but must be from 0 to the \(experts) experts.")
    }
    if let prefetchSize, prefetchSize < 0 {
      throw .description("The prefetch size is \(prefetchSize), but must be at least 0.")
    }
    if eviction == .min {
      throw .description(
        "The eviction 'min' knows the future, so no system can run it; the bound that is printed "
          + "beside each result uses it.")
    }
  }
}
