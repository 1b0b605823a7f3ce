import Experts
import HostMemory
import Placement

extension MachineProfile {
  /// This machine as far as it is known without measuring: memory that is available now and cores;
  /// the speeds are those of an assumed desktop, and there is no GPU.
  ///
  /// - Throws: `CommandFailure` where the system does not tell its memory.
  static func thisMachine(_ catalog: ProfileCatalog) throws -> MachineProfile {
    guard let memory = MemoryStatus.availableBytes() else {
      throw CommandFailure("The system does not tell its memory; name a machine with --machine.")
    }
    var host = try catalog.host("ddr4")
    let cores = ProcessorCount.usableCores()
    let scale = Double(cores) / Double(host.coreCount)
    for (type, costs) in host.cpu {
      host.cpu[type]?.parameterTokensPerMicrosecond = costs.parameterTokensPerMicrosecond * scale
    }
    host.name = "this machine"
    host.title = "\(cores) cores, \(HumanUnits.bytes(memory)) of memory available"
    host.coreCount = cores
    host.memoryBytes = memory
    // What is available is free already of what the system holds.
    host.marginBytes = 0
    var machine = MachineProfile(gpu: .none, host: host)
    machine.name = "this machine"
    return machine
  }
}
