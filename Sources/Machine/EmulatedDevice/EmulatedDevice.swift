import CGPUEmulation
import Devices
import HostMemory

/// A device that is no device: memory, streams, events and kernels on this processor.
///
/// The kernels are the GPU's own sources, compiled for the host. Streams progress beside the host and beside each
/// other in an order that a seed can draw, so that a missing event or a slot that is overwritten too early gives
/// wrong numbers in a test. Copies read their source when they happen, fresh and freed memory is full of ones,
/// and a program that waits for what cannot come is told so instead of hanging.
public final class EmulatedDevice: Device {
  public let properties: DeviceProperties
  public let clock: any DeviceClock
  /// What it was made with.
  public let configuration: Configuration
  let emulation: Emulation

  /// Opens a device; its threads end when its last reference goes.
  /// - Throws: `DeviceError.refused` where no thread can be started.
  public init(_ configuration: Configuration = Configuration()) throws(DeviceError) {
    self.configuration = configuration
    do {
      emulation = try Emulation(configuration)
    } catch {
      throw .refused(operation: "opening \(configuration.name)", reason: "\(error)")
    }
    clock = EmulatedClock(emulation: emulation)
    properties = DeviceProperties(
      name: configuration.name, totalByteCount: configuration.memoryByteCount,
      multiprocessorCount: 16, major: 0, minor: 0, driverVersion: "none",
      waitsForMemory: configuration.waitsForMemory, isEmulated: true)
  }

  deinit { emulation.end() }

  public func freeByteCount() throws(DeviceError) -> Int {
    try emulation.locked { () throws(DeviceError) in
      configuration.memoryByteCount - emulation.heap.usedByteCount
    }
  }

  public func allocate(byteCount: Int, purpose: String) throws(DeviceError) -> DeviceMemory {
    precondition(byteCount >= 0)
    let block = try emulation.allocate(byteCount: byteCount, purpose: purpose)
    let emulation = emulation
    let address = block.address
    return DeviceMemory(address: address, byteCount: byteCount) { emulation.free(address) }
  }

  public func allocatePinned(
    byteCount: Int, purpose: String
  ) throws(DeviceError) -> PinnedMemory {
    precondition(byteCount >= 0)
    let buffer = try emulation.allocatePinned(byteCount: byteCount, purpose: purpose)
    return pinned(buffer.base, byteCount: byteCount, keeps: buffer)
  }

  public func pin(
    _ base: UnsafeMutableRawPointer, byteCount: Int
  ) throws(DeviceError) -> PinnedMemory {
    try emulation.pin(
      byteCount: byteCount, purpose: "memory of the program",
      at: UInt64(UInt(bitPattern: base)))
    return pinned(base, byteCount: byteCount, keeps: nil)
  }

  private func pinned(
    _ base: UnsafeMutableRawPointer, byteCount: Int, keeps buffer: AlignedBuffer?
  ) -> PinnedMemory {
    let emulation = emulation
    let address = UInt64(UInt(bitPattern: base))
    return PinnedMemory(base: base, deviceAddress: address, byteCount: byteCount) {
      emulation.unpin(address, byteCount: byteCount)
      _ = buffer
    }
  }

  public func makeStream(name: String) throws(DeviceError) -> any DeviceStream {
    let lane = try emulation.locked { () throws(DeviceError) in emulation.makeLane(name) }
    return EmulatedStream(emulation: emulation, lane: lane)
  }

  public func makeEvent() throws(DeviceError) -> any DeviceEvent {
    let number = try emulation.locked { () throws(DeviceError) in
      emulation.events += 1
      return emulation.events
    }
    return EmulatedEvent(emulation: emulation, number: number)
  }

  public func kernel(_ name: String) throws(DeviceError) -> DeviceKernel {
    let handle = gpu_emulated_kernel(name)
    guard handle >= 0 else { throw .noKernel(name: name, device: configuration.name) }
    return DeviceKernel(name: name, handle: UInt(handle))
  }

  public func wait(
    for word: PinnedWord, atLeast value: UInt32, idle: () throws -> Void
  ) throws {
    try emulation.wait(for: word, atLeast: value, idle: idle)
  }

  public func write(_ value: UInt32, to word: PinnedWord) {
    emulation.write(value, to: word)
  }

  public func synchronize() throws(DeviceError) { try emulation.synchronize(nil) }
}

/// The modelled clock, or the processor's.
struct EmulatedClock: DeviceClock {
  let emulation: Emulation

  var now: Double {
    emulation.monitor.lock()
    defer { emulation.monitor.unlock() }
    return emulation.times?.now ?? emulation.realNow
  }

  func hostWorked(microseconds: Double) {
    emulation.monitor.lock()
    defer { emulation.monitor.unlock() }
    guard let times = emulation.times else { return }
    emulation.times!.advance(to: times.now + microseconds)
    emulation.monitor.changed()
    emulation.hostCalled()
  }
}
