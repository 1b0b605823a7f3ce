import Devices

/// A stream of an emulated device.
final class EmulatedStream: DeviceStream {
  private let emulation: Emulation
  private let lane: Lane

  init(emulation: Emulation, lane: Lane) {
    self.emulation = emulation
    self.lane = lane
  }

  func copy(from source: PinnedSpan, to target: UInt64) throws(DeviceError) {
    try emulation.submit(.upload(HostBytes(source), to: target), to: lane)
  }

  func copy(from source: UInt64, to target: PinnedSpan) throws(DeviceError) {
    try emulation.submit(.download(source, to: HostBytes(target)), to: lane)
  }

  func copy(from source: UInt64, to target: UInt64, byteCount: Int) throws(DeviceError) {
    try emulation.submit(.copyOnDevice(source, to: target, byteCount: byteCount), to: lane)
  }

  func copyPageable(
    from source: UnsafeRawBufferPointer, to target: UInt64
  ) throws(DeviceError) {
    try emulation.submit(.staged([UInt8](source), to: target), to: lane)
  }

  func clear(_ target: UInt64, byteCount: Int) throws(DeviceError) {
    try emulation.submit(.clear(target, byteCount: byteCount), to: lane)
  }

  func launch(
    _ kernel: DeviceKernel, grid: LaunchSize, block: LaunchSize, sharedByteCount: Int,
    arguments: UnsafeRawBufferPointer
  ) throws(DeviceError) {
    try emulation.submit(
      .launch(
        Operation.Launch(
          kernel: kernel, grid: grid, block: block, sharedByteCount: sharedByteCount,
          arguments: [UInt8](arguments))), to: lane)
  }

  func record(_ event: any DeviceEvent) throws(DeviceError) {
    guard let event = event as? EmulatedEvent else { throw EmulatedEvent.foreign }
    let recording = Recording(event: event.number, stream: lane.name)
    if try emulation.submit(.record(recording), to: lane) { event.last = recording }
  }

  func wait(for event: any DeviceEvent) throws(DeviceError) {
    guard let event = event as? EmulatedEvent else { throw EmulatedEvent.foreign }
    // Without a recording there is nothing to wait for, but it counts as one of the stream's waits.
    let nothing = Recording(event: event.number, stream: lane.name)
    nothing.isDone = true
    try emulation.submit(.waitForEvent(event.last ?? nothing), to: lane)
  }

  func wait(for word: PinnedWord, atLeast value: UInt32) throws(DeviceError) {
    try emulation.submit(.waitForWord(word, atLeast: value), to: lane)
  }

  func write(_ value: UInt32, to word: PinnedWord) throws(DeviceError) {
    try emulation.submit(.write(value, to: word), to: lane)
  }

  func synchronize() throws(DeviceError) { try emulation.synchronize([lane]) }
}
