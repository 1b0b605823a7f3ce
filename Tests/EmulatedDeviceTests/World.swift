import Devices
import EmulatedDevice
import HostMemory

/// What the kernels that check the emulation take.
struct CheckingArguments {
  var y: UInt64
  var count: UInt32 = 0
  var wrong: UInt32 = 0
}

/// A device with some memory of numbers on both sides.
final class World {
  let device: EmulatedDevice
  let count: Int
  let memory: DeviceMemory
  let host: PinnedMemory

  init(_ configuration: EmulatedDevice.Configuration = .init(), count: Int = 4096) throws {
    device = try EmulatedDevice(configuration)
    self.count = count
    memory = try device.allocate(byteCount: 4 * count, purpose: "numbers")
    host = try device.allocatePinned(byteCount: 4 * count + 4096, purpose: "the host's numbers")
  }

  var numbers: UnsafeMutableBufferPointer<UInt32> {
    UnsafeMutableBufferPointer(
      start: host.base.assumingMemoryBound(to: UInt32.self), count: count)
  }

  /// A word behind the numbers, 0 at first.
  func word(_ index: Int) -> PinnedWord { host.word(at: 4 * count + 4 * index) }

  func clearWords() { for index in 0..<1024 { device.write(0, to: word(index)) } }

  func stream(_ name: String) throws -> any DeviceStream { try device.makeStream(name: name) }

  /// Fills the first numbers of the host.
  func set(_ values: [UInt32]) {
    for (index, value) in values.enumerated() { numbers[index] = value }
  }

  func upload(_ stream: any DeviceStream, first: Int = 0, count: Int, to place: Int = 0) throws {
    try stream.copy(
      from: host.span(4 * first, byteCount: 4 * count), to: memory.address + UInt64(4 * place))
  }

  func download(_ stream: any DeviceStream, first: Int, count: Int, to place: Int) throws {
    try stream.copy(
      from: memory.address + UInt64(4 * first), to: host.span(4 * place, byteCount: 4 * count))
  }

  func launch(
    _ name: String, on stream: any DeviceStream, grid: LaunchSize, block: LaunchSize,
    shared: Int = 0, count: UInt32 = 0, wrong: UInt32 = 0
  ) throws {
    let kernel = try device.kernel(name)
    var arguments = CheckingArguments(y: memory.address, count: count, wrong: wrong)
    try withUnsafeBytes(of: &arguments) {
      try stream.launch(
        kernel, grid: grid, block: block, sharedByteCount: shared, arguments: $0)
    }
  }

  /// The device's numbers after everything.
  func result(_ count: Int) throws -> [UInt32] {
    let stream = try stream("result")
    try device.synchronize()
    try download(stream, first: 0, count: count, to: 0)
    try stream.synchronize()
    return Array(numbers[0..<count])
  }
}

/// Every way of running: in order beside the host, within its calls, drawn orders, modelled time.
let configurations: [EmulatedDevice.Configuration] = [
  .init(), .init(threadCount: 0), .init(seed: 1), .init(seed: 2), .init(seed: 3, threadCount: 2),
  .init(timing: .modelled(EmulatedTimes())),
  .init(timing: .modelled(EmulatedTimes()), threadCount: 0),
  .init(seed: 4, timing: .modelled(EmulatedTimes())),
]

extension EmulatedDevice.Configuration {
  /// One that runs nothing but while the host waits, and then what the streams of these names have first.
  static func late(_ names: [String]) -> Self {
    var configuration = Self()
    configuration.precedence = names
    return configuration
  }
}
