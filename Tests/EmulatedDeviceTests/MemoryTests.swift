import Devices
import EmulatedDevice
import Testing

@Test func `fresh memory is full of ones`() throws {
  let world = try World()
  #expect(try world.result(100) == Array(repeating: .max, count: 100))
}

@Test func `freed memory is full of ones at once`() throws {
  let world = try World()
  world.clearWords()
  let stream = try world.stream("one")
  var other: DeviceMemory? = try world.device.allocate(byteCount: 16, purpose: "freed too early")
  try stream.clear(other!.address, byteCount: 16)
  try stream.synchronize()
  try stream.wait(for: world.word(0), atLeast: 1)
  try stream.copy(from: other!.address, to: world.memory.address, byteCount: 16)
  other = nil
  world.device.write(1, to: world.word(0))
  #expect(try world.result(4) == Array(repeating: .max, count: 4))
}

@Test func `a write behind the end is found`() throws {
  let world = try World(count: 10)
  let stream = try world.stream("one")
  try world.launch("checking_fill", on: stream, grid: .init(1), block: .init(11))
  #expect(
    throws: DeviceError.lost(
      device: "emulated device", reason: "bytes behind the end of numbers (40 bytes) were written")
  ) { try world.device.synchronize() }
}

@Test func `a write behind the end is found when the memory is freed`() throws {
  let device = try EmulatedDevice()
  var memory: DeviceMemory? = try device.allocate(byteCount: 40, purpose: "numbers")
  let stream = try device.makeStream(name: "one")
  var arguments = CheckingArguments(y: memory!.address)
  try withUnsafeBytes(of: &arguments) {
    try stream.launch(
      device.kernel("checking_fill"), grid: .init(1), block: .init(11), sharedByteCount: 0,
      arguments: $0)
  }
  try stream.synchronize()
  memory = nil
  #expect(throws: DeviceError.self) { try stream.synchronize() }
}

@Test func `a write into freed memory is found`() throws {
  let device = try EmulatedDevice()
  var memory: DeviceMemory? = try device.allocate(byteCount: 40, purpose: "a slot")
  let stream = try device.makeStream(name: "one")
  var arguments = CheckingArguments(y: memory!.address)
  memory = nil
  try withUnsafeBytes(of: &arguments) {
    try stream.launch(
      device.kernel("checking_fill"), grid: .init(1), block: .init(4), sharedByteCount: 0,
      arguments: $0)
  }
  #expect(
    throws: DeviceError.lost(
      device: "emulated device", reason: "a slot was written after it was freed")
  ) { try device.synchronize() }
}

@Test func `pinned memory that is given back before its copy has run is found`() throws {
  let world = try World(.late([]))
  let stream = try world.stream("one")
  for isUpload in [true, false] {
    var pinned: PinnedMemory? = try world.device.allocatePinned(byteCount: 40, purpose: "a piece")
    let span = pinned!.span(0, byteCount: 40)
    if isUpload {
      try stream.copy(from: span, to: world.memory.address)
      try stream.synchronize()
    } else {
      try stream.copy(from: world.memory.address, to: span)
    }
    withExtendedLifetime(span) {}
    pinned = nil
  }
  #expect(
    throws: DeviceError.lost(
      device: "emulated device",
      reason: "a piece was given back before a copy of stream \"one\" that uses it had run")
  ) { try stream.synchronize() }
}

@Test func `a copy beyond an allocation is refused`() throws {
  let world = try World(count: 16)
  let stream = try world.stream("one")
  #expect(throws: DeviceError.self) { try world.upload(stream, count: 2, to: 15) }
  #expect(throws: DeviceError.self) { try world.download(stream, first: 15, count: 2, to: 0) }
  #expect(throws: DeviceError.self) {
    try stream.copy(from: world.memory.address - 4, to: world.memory.address, byteCount: 4)
  }
  try world.upload(stream, count: 1, to: 15)
}

@Test func `memory outlives its device`() throws {
  var device: EmulatedDevice? = try EmulatedDevice()
  var memory: DeviceMemory? = try device!.allocate(byteCount: 40, purpose: "numbers")
  var pinned: PinnedMemory? = try device!.allocatePinned(byteCount: 40, purpose: "numbers")
  device = nil
  #expect(memory!.byteCount == pinned!.byteCount)
  memory = nil
  pinned = nil
}

@Test func `memory may go with the last operation that uses it`() throws {
  let device = try EmulatedDevice(.late([]))
  let stream = try device.makeStream(name: "one")
  for isLost in [false, true] {
    var words: PinnedMemory? = try device.allocatePinned(byteCount: 4, purpose: "words")
    try stream.write(1, to: words!.word(at: 0))
    weak let kept = words
    words = nil
    #expect(kept != nil)
    if isLost {
      let other = try device.allocatePinned(byteCount: 4, purpose: "a piece")
      let memory = try device.allocate(byteCount: 4, purpose: "numbers")
      try stream.copy(from: other.span(0, byteCount: 4), to: memory.address)
      other.base.storeBytes(of: 7, as: UInt32.self)
    }
    if isLost {
      #expect(throws: DeviceError.self) { try stream.synchronize() }
    } else {
      try stream.synchronize()
    }
    #expect(kept == nil)
  }
}
