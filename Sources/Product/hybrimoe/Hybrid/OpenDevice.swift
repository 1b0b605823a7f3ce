import CUDADriver
import DeviceCompute
import Devices
import EmulatedDevice
import Experts
import HostMemory
import Placement

/// A device that was opened, and the machine that it is a part of.
struct OpenDevice {
  let device: any Device
  /// Its memory is what may be used; its speeds are those of a profile until they are measured.
  let machine: MachineProfile
  /// Bytes that the share of `--gpu-memory` is of.
  let totalByteCount: Int
  /// Whether the user asked for this very device.
  let isAskedFor: Bool
}

/// What came of looking for a device.
enum DeviceSearch {
  case open(OpenDevice)
  /// None is used, for the reason that is said to the user, a part of a sentence.
  case none(reason: String)
}

extension DeviceSearch {
  /// Looks for the device that the options want.
  ///
  /// - Throws: `CommandFailure` where a device that was asked for cannot be used.
  init(_ options: MachineOptions, catalog: ProfileCatalog = ProfileCatalog()) throws {
    switch options.device {
    case .cpu: self = .none(reason: "--device cpu")
    case .emulated: self = .open(try .emulated(options.hybrid, catalog))
    case .cuda(let number):
      do {
        self = .open(try .cuda(number, isAskedFor: true, catalog))
      } catch let error as DeviceError {
        throw CommandFailure("--device cuda:\(number): \(error).")
      }
    case .automatic:
      do {
        self = .open(try .cuda(0, isAskedFor: false, catalog))
      } catch let error as DeviceError {
        self = .none(reason: Self.short(error))
      }
    }
  }

  /// Why no device was found, for those who did not ask for one.
  private static func short(_ error: DeviceError) -> String {
    switch error {
    // A file that is there and broken, or another library, is no plain lack.
    case .noDriver(let detail):
      detail.contains("No such file")
        ? "there is no NVIDIA driver" : "no NVIDIA driver can be used (\(detail))"
    case .noDevice: "the NVIDIA driver knows no device"
    default: "\(error)"
    }
  }
}

extension OpenDevice {
  /// - Throws: `DeviceError`, `CommandFailure`.
  static func cuda(
    _ number: Int, isAskedFor: Bool, _ catalog: ProfileCatalog
  ) throws -> OpenDevice {
    let device = try StreamIndependence.checked(try CUDADevice(index: number))
    return OpenDevice(
      device: device,
      machine: try MachineProfile(
        device.properties, freeByteCount: device.freeByteCount(), catalog),
      totalByteCount: device.properties.totalByteCount, isAskedFor: isAskedFor)
  }

  /// A device whose part this processor computes, with the times of a machine that is named.
  ///
  /// - Throws: `CommandFailure` for machines that are not known, `DeviceError`.
  static func emulated(
    _ options: HybridOptions, _ catalog: ProfileCatalog
  ) throws -> OpenDevice {
    var machine = try catalog.machine(options.emulatedMachine ?? Self.modestMachine)
    // What is emulated is still held by this machine's memory.
    let available = MemoryStatus.availableBytes() ?? machine.gpu.memoryBytes
    let total = min(machine.gpu.memoryBytes, available / 2)
    let limit = min(total, options.gpuMemory?.bytes(of: total) ?? total)
    var configuration = EmulatedDevice.Configuration(memoryByteCount: limit)
    configuration.name = "emulated \(machine.name)"
    configuration.timing = .modelled(EmulatedTimes(machine))
    configuration.checksMemory = false
    configuration.failures = options.emulatedFailure.map { [$0.failure] } ?? []
    let device = try EmulatedDevice(configuration)
    machine.gpu.memoryBytes = limit
    // What is asked for may be used to the last byte.
    machine.gpu.marginBytes = max(0, MachineProfile.margin(total) - (total - limit))
    machine.gpu.bytesPerWeight = nil
    machine.name = configuration.name
    return OpenDevice(device: device, machine: machine, totalByteCount: total, isAskedFor: true)
  }

  /// A card and a host as many people have them.
  static let modestMachine = "rtx-3090+ddr4"
}

extension EmulatedTimes {
  /// The times of a machine that is known in figures.
  init(_ machine: MachineProfile) {
    self.init()
    let costs = machine.costModel
    // An expert's three matrices are three copies one behind the other, whose starts overlap; the
    // figure is for all.
    copyLatencyMicroseconds = costs.link.latencyMicroseconds / 3
    // While the CPU reads, which it nearly always does when copies run.
    uploadBytesPerMicrosecond = costs.link.overlappedBytesPerMicrosecond
    downloadBytesPerMicrosecond = costs.link.overlappedBytesPerMicrosecond
    pageableBytesPerMicrosecond = costs.link.overlappedBytesPerMicrosecond / 2
    deviceBytesPerMicrosecond = costs.gpu.bytesPerMicrosecond / 2
    launchMicroseconds = costs.gpu.launchMicroseconds / 2
    // There and back are one handshake.
    signalMicroseconds = costs.handshakeMicroseconds / 2
    let kernels = KernelCosts(
      bytesPerMicrosecond: costs.gpu.bytesPerMicrosecond,
      parameterTokensPerMicrosecond: costs.gpu.parameterTokensPerMicrosecond)
    kernelMicroseconds = { name, _, _, arguments in
      kernels.microseconds(of: name, arguments)
    }
  }
}

extension MachineProfile {
  /// The host of this machine with a GPU whose speeds are those of the most similar card that is
  /// known.
  ///
  /// - Throws: `CommandFailure` where the system does not tell its memory.
  init(
    _ properties: DeviceProperties, freeByteCount: Int, _ catalog: ProfileCatalog
  ) throws {
    let host = try MachineProfile.thisMachine(catalog).host
    var gpu = try catalog.machine(Self.similarCard(properties.name)).gpu
    gpu.name = properties.name
    gpu.title = properties.name
    gpu.memoryBytes = freeByteCount
    gpu.marginBytes = Self.margin(freeByteCount)
    gpu.bytesPerWeight = nil
    self.init(gpu: gpu, host: host)
    name = properties.name
  }

  /// What is left free of memory that is free: allocations are rounded up, the display may need
  /// more, and launches take memory of their own.
  static func margin(_ freeByteCount: Int) -> Int {
    min(max(256 << 20, freeByteCount / 32), freeByteCount / 8)
  }

  /// The profile of the card whose speed is most like that of the named one.
  static func similarCard(_ name: String) -> String {
    let name = name.lowercased()
    let known = [
      ("5090", "rtx-5090"), ("4090", "rtx-4090"), ("3090", "rtx-3090"), ("a100", "a100"),
      ("h100", "h200"), ("h200", "h200"), ("b200", "h200"), ("rtx 50", "rtx-5090"),
      ("rtx 40", "rtx-4090"),
    ]
    return known.first { name.contains($0.0) }?.1 ?? "rtx-3090"
  }
}

extension MachineProfile {
  /// Takes measured figures in place of assumed ones; what was not measured stays.
  mutating func take(_ costs: CostModel) {
    gpu.launchMicroseconds = costs.gpu.launchMicroseconds
    gpu.expertMicroseconds = costs.gpu.expertMicroseconds
    gpu.bytesPerMicrosecond = costs.gpu.bytesPerMicrosecond
    gpu.kneeTokens = costs.gpu.kneeTokens
    gpu.parameterTokensPerMicrosecond = costs.gpu.parameterTokensPerMicrosecond
    gpu.handshakeMicroseconds = costs.handshakeMicroseconds
    gpu.linkLatencyMicroseconds = costs.link.latencyMicroseconds
    gpu.linkBytesPerMicrosecond = costs.link.bytesPerMicrosecond
    host.linkBytesPerMicrosecond = costs.link.bytesPerMicrosecond
    host.overlappedLinkShare = min(
      1, costs.link.overlappedBytesPerMicrosecond / costs.link.bytesPerMicrosecond)
    host.cpu.merge(costs.cpu) { $1 }
  }
}
