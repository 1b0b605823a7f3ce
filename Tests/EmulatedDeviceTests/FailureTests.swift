import Devices
import EmulatedDevice
import Testing

@Test func `device memory ends where it ends`() throws {
  let device = try EmulatedDevice(.init(memoryByteCount: 1000))
  var first: DeviceMemory? = try device.allocate(byteCount: 600, purpose: "a")
  #expect(try device.freeByteCount() == 400)
  #expect(throws: DeviceError.outOfMemory(device: "emulated device", byteCount: 401, purpose: "b"))
  { try device.allocate(byteCount: 401, purpose: "b") }
  let second = try device.allocate(byteCount: 400, purpose: "b")
  #expect(first!.address % 256 == 0 && second.address % 256 == 0)
  first = nil
  #expect(try device.freeByteCount() == 600)
}

@Test func `an injected allocation fails, though there is room`() throws {
  let device = try EmulatedDevice(
    .init(memoryByteCount: 1000, failures: [.allocation(number: 2)]))
  let first = try device.allocate(byteCount: 1, purpose: "a")
  #expect(throws: DeviceError.outOfMemory(device: "emulated device", byteCount: 1, purpose: "b")) {
    try device.allocate(byteCount: 1, purpose: "b")
  }
  let third = try device.allocate(byteCount: 1, purpose: "c")
  #expect(first.address != third.address)
}

@Test func `memory may end earlier than the device says`() throws {
  let device = try EmulatedDevice(
    .init(memoryByteCount: 1000, failures: [.allocationsBeyond(byteCount: 500)]))
  #expect(try device.freeByteCount() == 1000)
  let half = try device.allocate(byteCount: 500, purpose: "half")
  #expect(throws: DeviceError.self) { try device.allocate(byteCount: 1, purpose: "more") }
  #expect(half.byteCount == 500)
}

@Test func `pinned memory ends where the system says`() throws {
  for configuration in [
    EmulatedDevice.Configuration(pinnedByteCount: 100),
    EmulatedDevice.Configuration(failures: [.pinningBeyond(byteCount: 100)]),
  ] {
    let device = try EmulatedDevice(configuration)
    var first: PinnedMemory? = try device.allocatePinned(byteCount: 60, purpose: "a")
    #expect(first!.byteCount == 60)
    #expect(
      throws: DeviceError.cannotPin(
        byteCount: 60, purpose: "b", reason: "100 bytes can be pinned, 60 are")
    ) { try device.allocatePinned(byteCount: 60, purpose: "b") }
    let own = UnsafeMutableRawPointer.allocate(byteCount: 60, alignment: 4096)
    defer { own.deallocate() }
    #expect(throws: DeviceError.self) { try device.pin(own, byteCount: 60) }
    first = nil
    let pinned = try device.pin(own, byteCount: 60)
    #expect(pinned.base == own)
  }
}

@Test(arguments: configurations.indices, [true, false])
func `a device that is lost says so to everyone`(_ index: Int, _ atLaunch: Bool) throws {
  var configuration = configurations[index]
  configuration.failures = [atLaunch ? .launch(number: 2) : .copy(number: 2)]
  let world = try World(configuration)
  world.clearWords()
  let (first, second) = (try world.stream("first"), try world.stream("second"))
  let event = try world.device.makeEvent()
  #expect(throws: DeviceError.self) {
    for _ in 0..<2 {
      try world.launch("checking_fill", on: first, grid: .init(1), block: .init(1))
      try world.upload(first, count: 1)
    }
    try first.record(event)
    try second.wait(for: event)
    try second.wait(for: world.word(0), atLeast: 1)
    try world.device.wait(for: world.word(1), atLeast: 1) {}
  }
  let lost = #expect(throws: DeviceError.self) { try second.synchronize() }
  guard case .lost(_, let reason) = try #require(lost) else {
    Issue.record("not lost")
    return
  }
  #expect(reason == "injected: \(atLaunch ? "launch" : "upload") of stream \"first\"")
  #expect(throws: lost!) { try world.device.allocate(byteCount: 1, purpose: "more") }
  #expect(throws: lost!) { try world.device.allocatePinned(byteCount: 1, purpose: "more") }
  #expect(throws: lost!) { try world.device.synchronize() }
  #expect(throws: lost!) { try event.synchronize() }
  #expect(throws: lost!) { try event.isDone() }
  #expect(throws: lost!) { try world.upload(first, count: 1) }
}

@Test(arguments: configurations.indices)
func `who waits for what cannot come is told who waits for what`(_ index: Int) throws {
  let world = try World(configurations[index])
  world.clearWords()
  let (compute, upload) = (try world.stream("compute"), try world.stream("upload"))
  let event = try world.device.makeEvent()
  try upload.wait(for: world.word(3), atLeast: 5)
  try upload.record(event)
  try compute.wait(for: event)
  let error = #expect(throws: DeviceError.self) { try compute.synchronize() }
  #expect(
    error
      == .refused(
        operation: "waiting for stream \"compute\"",
        reason: "nothing can go on: stream \"compute\" waits for event 1 of stream \"upload\"; "
          + "stream \"upload\" waits for the word at byte 16396 of the host's numbers to be 5 (it is 0)"
      ))
  #expect(throws: DeviceError.self) {
    try world.device.wait(for: world.word(1), atLeast: 1) {}
  }
  #expect(throws: DeviceError.self) { try event.synchronize() }
  // It was not lost by that.
  world.device.write(5, to: world.word(3))
  try compute.synchronize()
}

@Test func `an error of what the host does meanwhile comes out`() throws {
  struct Stop: Error {}
  let world = try World()
  world.clearWords()
  #expect(throws: Stop.self) {
    try world.device.wait(for: world.word(0), atLeast: 1) { throw Stop() }
  }
  try world.device.synchronize()
}

@Test func `a copy that is held back comes after others`() throws {
  for seed in 1...10 as ClosedRange<UInt64> {
    let world = try World(
      .init(seed: seed, failures: [.copyHeldBack(number: 1, operations: 3)]))
    let (slow, other) = (try world.stream("slow"), try world.stream("other"))
    world.set([1, 2, 3, 4])
    try world.upload(slow, count: 1)
    for index in 1..<4 { try world.upload(other, first: index, count: 1) }
    #expect(try world.result(1) == [4 - 3])
    // The three others had come: the slow one overwrote the last.
  }
}

@Test func `a device without waits for words refuses them`() throws {
  let world = try World(.init(waitsForMemory: false))
  let stream = try world.stream("one")
  #expect(!world.device.properties.waitsForMemory)
  #expect(throws: DeviceError.self) { try stream.wait(for: world.word(0), atLeast: 1) }
  #expect(throws: DeviceError.self) { try stream.write(1, to: world.word(0)) }
}

@Test func `two threads of a host that wait for each other are told so`() throws {
  var configuration = EmulatedDevice.Configuration()
  configuration.hostThreadCount = 2
  // Nobody else comes: no time is given.
  configuration.patienceSeconds = 0
  let world = try World(configuration)
  world.clearWords()
  #expect(throws: DeviceError.self) { try world.device.wait(for: world.word(0), atLeast: 1) {} }
}
