import ArgumentParser
import ExpertCaching
import ExpertScheduling
import HostMemory
import Models

/// Which parts of the machine to use, and how.
struct MachineOptions: ParsableArguments {
  @Option(
    name: [
      .customShort("t", allowingJoined: true), .customLong("threads"), .customLong("cpu-infer"),
      .customLong("cpu_infer"),
    ], parsing: .unconditional,
    help: .init("Threads that compute (default: one per physical core)."))
  var threads: Int?

  @Option(
    parsing: .unconditional,
    help: .init(
      "Where threads run: auto, none or cores. auto keeps each on a memory node where there are "
        + "several.", valueName: "name"))
  var affinity: AffinityChoice = .automatic

  @Option(
    parsing: .unconditional,
    help: .init(
      "How weights are kept: packed in memory, native (as the file has them; slower, less memory), "
        + "cached (packed in a file, made at the first use; see 'cache') or auto (packed where there "
        + "is room).", valueName: "name"))
  var weights: WeightLayout = .automatic

  @Option(parsing: .unconditional, help: .init("auto or cpu.", valueName: "name"))
  var device: String = "auto"

  @OptionGroup var later: LaterMachineOptions

  func validate() throws {
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads is \(threads), but must be from 1 to 1024.")
    }
    let isGPU = device == "emulated" || device.wholeMatch(of: /cuda(:\d+)?/) != nil
    guard !isGPU else {
      throw ValidationError(
        "--device \(device): this version computes on the CPU only; use --device cpu or leave the "
          + "option out.")
    }
    guard ["auto", "cpu"].contains(device) else {
      throw ValidationError("--device is '\(device)', but must be auto or cpu.")
    }
  }
}

/// Options of the GPU, its expert cache and the scheduler: accepted and checked, but without effect
/// on a run that computes on the CPU only. Whoever gives one is told so.
struct LaterMachineOptions: ParsableArguments {
  @Option(parsing: .unconditional, help: .noEffectYet) var gpuMemory: String?
  @Option(name: .both("cache-size"), parsing: .unconditional, help: .noEffectYet)
  var cacheSize: Int?
  @Option(parsing: .unconditional, help: .noEffectYet) var cacheRatio: Double?
  @Option(name: .both("optimize-rule-path"), parsing: .unconditional, help: .noEffectYet)
  var optimizeRulePath: String?
  @Option(name: .both("optimize-config-path"), parsing: .unconditional, help: .noEffectYet)
  var optimizeConfigPath: String?
  @Option(parsing: .unconditional, help: .noEffectYet) var scheduler: SchedulerName?
  @Option(parsing: .unconditional, help: .noEffectYet) var eviction: EvictionName?
  @Option(parsing: .unconditional, help: .noEffectYet) var admission: Admission?
  @Option(name: .both("prefetch-size"), parsing: .unconditional, help: .noEffectYet)
  var prefetchSize: Int?

  func validate() throws {
    if let gpuMemory, gpuMemory.wholeMatch(of: /\d+(\.\d+)?\s*([kKMGT]i?B?|B|%)?/) == nil {
      throw ValidationError(
        "--gpu-memory is '\(gpuMemory)', but must be bytes such as 8G or a share such as 80%.")
    }
    if let cacheSize, cacheSize < 0 {
      throw ValidationError("--cache-size is \(cacheSize), but must be at least 0 experts.")
    }
    if let prefetchSize, prefetchSize < 0 {
      throw ValidationError("--prefetch-size is \(prefetchSize), but must be at least 0 experts.")
    }
    if let cacheRatio, !(0...1).contains(cacheRatio) {
      throw ValidationError("--cache-ratio is \(cacheRatio), but must be from 0 to 1.")
    }
  }

  /// The options that were given, to be named in a note.
  var given: [String] {
    [
      ("--gpu-memory", gpuMemory != nil), ("--cache-size", cacheSize != nil),
      ("--cache-ratio", cacheRatio != nil), ("--optimize-rule-path", optimizeRulePath != nil),
      ("--optimize-config-path", optimizeConfigPath != nil), ("--scheduler", scheduler != nil),
      ("--eviction", eviction != nil), ("--admission", admission != nil),
      ("--prefetch-size", prefetchSize != nil),
    ].filter(\.1).map(\.0)
  }
}

extension WeightLayout: ExpressibleByArgument {}
extension AffinityChoice: ExpressibleByArgument {}
extension SchedulerName: ExpressibleByArgument {}

extension EvictionName: ExpressibleByArgument {}
extension Admission: ExpressibleByArgument {}
extension CacheScope: ExpressibleByArgument {}

extension NameSpecification {
  /// An option's name in kebab-case and in the published system's spelling with underscores.
  static func both(_ name: String) -> NameSpecification {
    [.customLong(name), .customLong(String(name.map { $0 == "-" ? "_" : $0 }))]
  }
}
