import ArgumentParser
import ExpertCaching
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
  var scheduler: SchedulerList = SchedulerList(names: [.hybrimoe])

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
    if cacheSize != nil, cacheRatio != nil {
      throw ValidationError("Give --cache-size or --cache-ratio, not both.")
    }
    if let cacheSize, cacheSize < 1 {
      throw ValidationError("--cache-size is \(cacheSize), but must be at least 1 expert.")
    }
    if let cacheRatio, !(0...1).contains(cacheRatio) {
      throw ValidationError("--cache-ratio is \(cacheRatio), but must be from 0 to 1.")
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

  /// The systems, in the order in which they were named.
  var systems: [SystemDescription] {
    scheduler.names.map { name in
      var system = SystemDescription(name, cacheRatio: cacheRatio ?? 0.25)
      system.cacheSlots = cacheSize
      if let eviction { system.eviction = eviction }
      if let admission { system.admission = admission }
      if let prefetchSize {
        system.prefetchSize = prefetchSize
        if prefetchSize == 0 {
          system.prefetching = .off
        } else if system.prefetching == .off {
          system.prefetching = .paper
        }
      }
      return system
    }
  }
}

/// Names of schedulers, separated by commas.
struct SchedulerList: ExpressibleByArgument {
  var names: [SchedulerName]

  init(names: [SchedulerName]) { self.names = names }

  init?(argument: String) {
    names = []
    for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
      guard let name = SchedulerName(rawValue: String(part)), !names.contains(name) else {
        return nil
      }
      names.append(name)
    }
  }

  var defaultValueDescription: String { names.map(\.rawValue).joined(separator: ",") }
  static var allValueStrings: [String] { SchedulerName.allCases.map(\.rawValue) }
}
