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

  @Option(
    parsing: .unconditional,
    help: .init(
      "What computes besides the CPU: auto, cpu, cuda:N or emulated. auto takes the first NVIDIA GPU where "
        + "there is one and it helps; emulated runs the GPU's part on the CPU, for looking.",
      valueName: "name"))
  var device: DeviceChoice = .automatic

  @OptionGroup var hybrid: HybridOptions

  func validate() throws {
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads is \(threads), but must be from 1 to 1024.")
    }
    if device != .emulated, hybrid.emulatedFailure != nil {
      throw ValidationError("--emulated-failure is of --device emulated; add that.")
    }
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
