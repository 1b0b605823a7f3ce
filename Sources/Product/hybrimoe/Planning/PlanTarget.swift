import Placement

/// The machine that a plan is for.
struct PlanTarget {
  /// Without a GPU where there is none, or none is to be used.
  var machine: MachineProfile
  /// Bytes that a share in `--gpu-memory` is of.
  var totalByteCount: Int
  var isEmulated = false
  /// Whether the device was chosen by itself, so that it is only used where it helps.
  var isAutomatic = false

  var hasGPU: Bool { machine.gpu.memoryBytes > 0 }

  /// The machine that is named, or this one with the device that the options want.
  ///
  /// - Throws: `CommandFailure` for unknown names, and where a device that was asked for cannot be used.
  init(
    named name: String?, _ options: MachineOptions, _ catalog: ProfileCatalog, _ console: Console
  ) throws {
    if let name {
      self.init(try catalog.machine(name))
      switch options.device {
      case .automatic: break
      case .cpu: withoutGPU()
      case .cuda, .emulated:
        console.warn(
          "--device \(options.device.defaultValueDescription): no effect with --machine.")
      }
    } else {
      try self.init(options, catalog, console)
    }
    if let threads = options.threads { machine.host.limit(threadCount: threads) }
  }

  private init(_ machine: MachineProfile) {
    self.machine = machine
    totalByteCount = machine.gpu.memoryBytes
  }

  private init(_ open: OpenDevice) {
    machine = open.machine
    totalByteCount = open.totalByteCount
    isEmulated = open.device.properties.isEmulated
    isAutomatic = !open.isAskedFor
  }

  private init(
    _ options: MachineOptions, _ catalog: ProfileCatalog, _ console: Console
  ) throws {
    switch try DeviceSearch(options, catalog: catalog) {
    case .open(let open):
      self.init(open)
      let free = HumanUnits.bytes(machine.gpu.memoryBytes)
      console.note(
        isEmulated
          ? "No --machine: planning for an emulated device, \(machine.name), with \(free)."
          : "No --machine: planning for this one and its \(machine.name), \(free) of its memory free; "
            + "speeds are those of a similar card and of a desktop with DDR4 memory.")
    case .none(let reason):
      self.init(try .thisMachine(catalog))
      console.note(
        "No --machine: planning for \(machine.host.title); speeds are those of a desktop with "
          + "DDR4 memory, and no GPU is used, since \(reason).")
    }
  }

  private mutating func withoutGPU() {
    machine.gpu = .none
    totalByteCount = 0
  }
}

extension HostProfile {
  /// Computes with so many threads at most; how fast memory is read does not depend on it much.
  mutating func limit(threadCount: Int) {
    let share = min(1, Double(threadCount) / Double(max(1, coreCount)))
    for type in cpu.keys { cpu[type]?.parameterTokensPerMicrosecond *= share }
    coreCount = min(coreCount, threadCount)
  }
}
