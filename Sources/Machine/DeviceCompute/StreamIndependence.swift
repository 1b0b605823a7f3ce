import Devices

/// Whether a stream that waits for the host lets the others go on.
///
/// Drivers spread streams over the device's own queues. Streams that share one run in the order in which work
/// came, so that a wait for the host in one of them holds up work that the host needs before it can answer:
/// for ever. How many queues there are follows from the device, the environment and what else the process
/// does, so it is found out by trying, with an end.
public enum StreamIndependence {
  /// Streams that an engine has at once: the dense part, experts, uploads, and one for measuring.
  private static let streamCount = 4
  /// Longer than an idle device needs for a kernel that does nothing, even where another program has it for a
  /// while.
  private static let limitMicroseconds = 50_000.0
  /// Looks before the time counts: this thread may have been away for so long, and not the device.
  private static let leastLooks = 2_000

  /// The device, or, where its streams hold each other up, the same one without waits for memory, with a
  /// remark that says so.
  /// - Throws: `DeviceError`.
  public static func checked(_ device: any Device) throws(DeviceError) -> any Device {
    guard device.properties.waitsForMemory, try !holds(on: device) else { return device }
    return DeviceWithoutMemoryWaits(
      device,
      remark:
        "streams hold each other up, so that none of them may wait for the CPU; each layer costs some "
        + "microseconds more")
  }

  /// Tries it: lets each of some streams wait for the host in turn, and looks whether the others go on.
  /// - Throws: `DeviceError`. Nothing waits any more then.
  public static func holds(on device: any Device) throws(DeviceError) -> Bool {
    let operations = try DeviceOperations(device)
    let memory = try device.allocatePinned(
      byteCount: 64 * (streamCount + 1), purpose: "trying streams")
    let said = memory.word(at: 0)
    device.write(0, to: said)
    var streams: [any DeviceStream] = []
    for _ in 0..<streamCount { streams.append(try device.makeStream(name: "trial")) }
    // The first work of all may wake the device.
    for (index, stream) in streams.enumerated() {
      try operations.publish(0, to: memory.word(at: 64 * (index + 1)), on: stream)
      try stream.synchronize()
    }
    for waiting in streams.indices {
      let number = UInt32(waiting + 1)
      // Whatever happens, the streams end before the words go.
      defer {
        device.write(number, to: said)
        for stream in streams { try? stream.synchronize() }
      }
      try streams[waiting].wait(for: said, atLeast: number)
      var events: [any DeviceEvent] = []
      for (index, stream) in streams.enumerated() where index != waiting {
        try operations.publish(number, to: memory.word(at: 64 * (index + 1)), on: stream)
        let event = try device.makeEvent()
        try stream.record(event)
        events.append(event)
      }
      guard try areDone(events, device.clock) else { return false }
    }
    return true
  }

  private static func areDone(
    _ events: [any DeviceEvent], _ clock: any DeviceClock
  ) throws(DeviceError) -> Bool {
    let start = clock.now
    var looks = 0
    var left = events[...]
    while let event = left.last {
      looks += 1
      if try event.isDone() {
        left.removeLast()
      } else if looks > leastLooks, clock.now - start > limitMicroseconds {
        return false
      }
    }
    return true
  }
}

/// A device whose streams' waits for memory are not used.
final class DeviceWithoutMemoryWaits: Device {
  let properties: DeviceProperties
  private let device: any Device

  init(_ device: any Device, remark: String) {
    self.device = device
    var properties = device.properties
    properties.waitsForMemory = false
    properties.remark = remark
    self.properties = properties
  }

  var clock: any DeviceClock { device.clock }
  func freeByteCount() throws(DeviceError) -> Int { try device.freeByteCount() }
  func allocate(byteCount: Int, purpose: String) throws(DeviceError) -> DeviceMemory {
    try device.allocate(byteCount: byteCount, purpose: purpose)
  }
  func allocatePinned(byteCount: Int, purpose: String) throws(DeviceError) -> PinnedMemory {
    try device.allocatePinned(byteCount: byteCount, purpose: purpose)
  }
  func pin(_ base: UnsafeMutableRawPointer, byteCount: Int) throws(DeviceError) -> PinnedMemory {
    try device.pin(base, byteCount: byteCount)
  }
  func makeStream(name: String) throws(DeviceError) -> any DeviceStream {
    try device.makeStream(name: name)
  }
  func makeEvent() throws(DeviceError) -> any DeviceEvent { try device.makeEvent() }
  func kernel(_ name: String) throws(DeviceError) -> DeviceKernel { try device.kernel(name) }
  func wait(for word: PinnedWord, atLeast value: UInt32, idle: () throws -> Void) throws {
    try device.wait(for: word, atLeast: value, idle: idle)
  }
  func write(_ value: UInt32, to word: PinnedWord) { device.write(value, to: word) }
  func synchronize() throws(DeviceError) { try device.synchronize() }
}
