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
    let systems = names.map(system)
    let all = names.map(\.rawValue).joined(separator: ", ")
    if let prefetchSize, prefetchSize > 0, systems.allSatisfy({ $0.prefetching == .off }) {
      throw ValidationError(
        "--prefetch-size \(prefetchSize) has no meaning for \(all): no copies ahead are made.")
    }
    if let admission {
      let changing = systems.filter { $0.eviction != nil }
      guard !changing.isEmpty else {
        throw ValidationError(
          "--admission \(admission.rawValue) has no meaning for \(all): what is resident never "
            + "changes.")
      }
      if admission == .bypass, !changing.contains(where: { $0.eviction?.hasBypass == true }) {
        throw ValidationError(
          "--admission bypass has no meaning with the eviction "
            + "'\(changing[0].eviction?.rawValue ?? "")', which always admits.")
      }
    }
    return systems
  }

  private func system(_ name: SchedulerName) -> SystemDescription {
    var system = SystemDescription(name, cacheRatio: cacheRatio ?? 0.25)
    system.cacheSlots = cacheSize
    if let eviction { system.eviction = eviction }
    if let admission { system.admission = admission }
    // What is reported is what is done.
    if system.eviction?.hasBypass == false { system.admission = .forced }
    if let prefetchSize, system.prefetching != .off {
      system.prefetchSize = prefetchSize
      if prefetchSize == 0 { system.prefetching = .off }
    }
    return system
  }
}
