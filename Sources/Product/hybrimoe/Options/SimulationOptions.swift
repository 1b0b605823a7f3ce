import ArgumentParser
import ExpertCaching
import ExpertDirection
import ExpertScheduling
import ExpertSimulation

/// Which systems are simulated.
struct SimulationOptions: ParsableArguments {
  @Option(
    name: .both("cache-size"), parsing: .unconditional,
    help: .init("Slots for experts in each layer.", valueName: "experts"))
  var cacheSize: Int?

  @Option(
    parsing: .unconditional,
    help: .init(
      "The same as a share of each layer's experts (default: 0.25).", valueName: "ratio"))
  var cacheRatio: Double?

  @Option(
    parsing: .unconditional,
    help: .init(
      "Whole systems by their scheduler's name, separated by commas (default: hybrimoe).",
      valueName: "names"))
  var scheduler: Listed<SchedulerName>?

  @Option(
    parsing: .unconditional,
    help: .init("Another eviction than the system's own.", valueName: "name"))
  var eviction: EvictionName?

  @Option(
    parsing: .unconditional,
    help: .init("Another admission than the system's own.", valueName: "name"))
  var admission: Admission?

  @Option(
    name: .both("prefetch-size"), parsing: .unconditional,
    help: .init("Experts copied ahead for a layer at most; 0 = off.", valueName: "experts"))
  var prefetchSize: Int?

  func validate() throws {
    try scheduler?.checkDistinct("--scheduler")
    if cacheSize != nil, cacheRatio != nil {
      throw ValidationError("Give --cache-size or --cache-ratio, not both.")
    }
    if let cacheSize, cacheSize < 1 {
      throw ValidationError(
        "--cache-size is \(cacheSize), but must be at least 1 expert: a machine without a cache "
          + "has nothing to simulate; 'hybrimoe plan' tells its speed.")
    }
    if let cacheRatio, !(cacheRatio > 0 && cacheRatio <= 1) {
      throw ValidationError(
        "--cache-ratio is \(cacheRatio), but must be above 0 and at most 1: a machine without a "
          + "cache has nothing to simulate; 'hybrimoe plan' tells its speed.")
    }
    if let prefetchSize, prefetchSize < 0 {
      throw ValidationError("--prefetch-size is \(prefetchSize), but must be at least 0 experts.")
    }
    if eviction == .min || eviction == .leastStale {
      throw ValidationError(
        "--eviction \(eviction?.rawValue ?? "") cannot be simulated: min knows the future and is "
          + "part of the bound, least-stale needs one cache over all layers. 'hybrimoe trace "
          + "stats' measures both.")
    }
  }

  /// The schedulers that are asked for.
  var names: [SchedulerName] { scheduler?.values ?? [.hybrimoe] }

  /// The systems, in the order in which they were named, for a model with so many experts a layer.
  ///
  /// - Throws: `ValidationError` where an option has a meaning for none of them.
  func systems(experts: Int) throws -> [SystemDescription] {
    if let cacheSize, cacheSize > experts {
      throw ValidationError(
        "--cache-size is \(cacheSize), but must be from 1 to the \(experts) experts of a layer.")
    }
    let wish = SystemWish(eviction: eviction, admission: admission, prefetchSize: prefetchSize)
    var systems = try wish.systems(names, cacheRatio: cacheRatio ?? 0.25)
    for index in systems.indices { systems[index].cacheSlots = cacheSize }
    return systems
  }
}
