import Devices

/// A device that does nothing and notes how much would be done: a trial run of a step on it tells how
/// much memory and how many operations the step takes.
final class SilentDevice: Device {
  let properties = DeviceProperties(
    name: "trial", totalByteCount: .max, multiprocessorCount: 1, major: 0, minor: 0,
    driverVersion: "", waitsForMemory: true, isEmulated: true)
  let clock: any DeviceClock = StandingClock()
  /// Where its memory seems to begin.
  private static let address: UInt64 = 1 << 32

  func freeByteCount() -> Int { .max }
  func allocate(byteCount: Int, purpose: String) -> DeviceMemory {
    DeviceMemory(address: Self.address, byteCount: byteCount) {}
  }
  func allocatePinned(byteCount: Int, purpose: String) throws(DeviceError) -> PinnedMemory {
    try pin(Self.nowhere, byteCount: byteCount)
  }
  func pin(
    _ base: UnsafeMutableRawPointer, byteCount: Int
  ) throws(DeviceError) -> PinnedMemory {
    PinnedMemory(base: base, deviceAddress: Self.address, byteCount: byteCount) {}
  }
  func makeStream(name: String) -> any DeviceStream { SilentStream() }
  func makeEvent() -> any DeviceEvent { SilentEvent() }
  func kernel(_ name: String) -> DeviceKernel { DeviceKernel(name: name, handle: 0) }
  func wait(for word: PinnedWord, atLeast value: UInt32, idle: () throws -> Void) {}
  func write(_ value: UInt32, to word: PinnedWord) {}
  func synchronize() {}

  /// An address that nobody reads or writes.
  private static var nowhere: UnsafeMutableRawPointer {
    guard let address = UnsafeMutableRawPointer(bitPattern: 1 << 32) else {
      preconditionFailure("the address is not 0")
    }
    return address
  }
}

/// Counts what is submitted.
// Safety: used by one thread.
final class SilentStream: DeviceStream, @unchecked Sendable {
  private(set) var operationCount = 0

  private func note() { operationCount += 1 }
  func copy(from source: PinnedSpan, to target: UInt64) { note() }
  func copy(from source: UInt64, to target: PinnedSpan) { note() }
  func copy(from source: UInt64, to target: UInt64, byteCount: Int) { note() }
  func copyPageable(from source: UnsafeRawBufferPointer, to target: UInt64) { note() }
  func clear(_ target: UInt64, byteCount: Int) { note() }
  func launch(
    _ kernel: DeviceKernel, grid: LaunchSize, block: LaunchSize, sharedByteCount: Int,
    arguments: UnsafeRawBufferPointer
  ) { note() }
  func record(_ event: any DeviceEvent) { note() }
  func wait(for event: any DeviceEvent) { note() }
  func wait(for word: PinnedWord, atLeast value: UInt32) { note() }
  func write(_ value: UInt32, to word: PinnedWord) { note() }
  func synchronize() {}
}

private final class SilentEvent: DeviceEvent {
  func isDone() -> Bool { true }
  func synchronize() {}
  func time() -> Double? { nil }
}

private struct StandingClock: DeviceClock {
  var now: Double { 0 }
  func hostWorked(microseconds: Double) {}
}
