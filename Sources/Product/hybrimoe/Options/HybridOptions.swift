import ArgumentParser
import ExpertCaching
import ExpertScheduling
import ExpertSimulation
import Placement

/// How much of a GPU is used, what of the model it keeps, and who plans.
struct HybridOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: .init(
      "GPU memory that may be used: 8G (GiB), 8GB, or a share such as 80% (default: what is free, less "
        + "a margin).", valueName: "amount"))
  var gpuMemory: MemoryAmount?

  @Option(
    name: .both("cache-size"), parsing: .unconditional,
    help: .init(
      "Slots for experts in each layer (default: as many as fit; 0 = none).", valueName: "experts"))
  var cacheSize: Int?

  @Option(
    parsing: .unconditional,
    help: .init("The same as a share of each layer's experts.", valueName: "ratio"))
  var cacheRatio: Double?

  @Option(
    name: .rules, parsing: .unconditional,
    help: .init("Rules in kTransformers' YAML format that say what goes where.", valueName: "file"))
  var optimizeRulePath: String?

  @Option(
    parsing: .unconditional,
    help: .init(
      "The whole system by its scheduler's name: who plans a layer, and unless said otherwise what is "
        + "cached and copied ahead (default: hybrimoe).", valueName: "name"))
  var scheduler: SchedulerName?

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
    help: .init(
      "Experts copied ahead for a layer at most; 0 = off (default: as measured to pay).",
      valueName: "experts"))
  var prefetchSize: Int?

  @Option(
    parsing: .unconditional,
    help: .init(
      "The machine whose times --device emulated models, such as rtx-4090 or rtx-3090+ddr4.",
      valueName: "name"))
  var emulatedMachine: String?

  /// For seeing what becomes of a run when a device fails: see `FailureWish`.
  @Option(parsing: .unconditional, help: .hidden) var emulatedFailure: FailureWish?

  func validate() throws {
    if cacheSize != nil, cacheRatio != nil {
      throw ValidationError("Give --cache-size or --cache-ratio, not both.")
    }
    if let cacheSize, cacheSize < 0 {
      throw ValidationError("--cache-size is \(cacheSize), but must be at least 0 experts.")
    }
    if let cacheRatio, !(0...1).contains(cacheRatio) {
      throw ValidationError("--cache-ratio is \(cacheRatio), but must be from 0 to 1.")
    }
    if let prefetchSize, prefetchSize < 0 {
      throw ValidationError("--prefetch-size is \(prefetchSize), but must be at least 0 experts.")
    }
    if eviction == .min {
      throw ValidationError(
        "--eviction min knows the future, so that nothing can run it; 'hybrimoe trace stats' measures it."
      )
    }
    if eviction == .leastStale {
      throw ValidationError(
        "--eviction least-stale needs one cache over all layers; 'hybrimoe trace stats' measures it."
      )
    }
    _ = try wish.systems([scheduler ?? .hybrimoe], cacheRatio: 0.25)
  }

  /// The parts of a system that were asked for.
  var wish: SystemWish {
    SystemWish(eviction: eviction, admission: admission, prefetchSize: prefetchSize)
  }

  var slots: SlotWish {
    cacheSize.map(SlotWish.perLayer) ?? cacheRatio.map(SlotWish.ratio) ?? .asFit
  }

  /// The options that were given, to be named in a note where there is no GPU.
  var given: [String] {
    [
      ("--gpu-memory", gpuMemory != nil), ("--cache-size", cacheSize != nil),
      ("--cache-ratio", cacheRatio != nil), ("--optimize-rule-path", optimizeRulePath != nil),
      ("--scheduler", scheduler != nil), ("--eviction", eviction != nil),
      ("--admission", admission != nil), ("--prefetch-size", prefetchSize != nil),
      ("--emulated-machine", emulatedMachine != nil),
    ].filter(\.1).map(\.0)
  }
}
