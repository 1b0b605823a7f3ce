import Devices
import EmulatedDevice
import Testing

@Test(arguments: configurations.indices)
func `a stream does one thing after another`(_ index: Int) throws {
  let world = try World(configurations[index])
  let stream = try world.stream("one")
  world.set([1, 2, 3, 4, 5, 6, 7, 8])
  try world.upload(stream, count: 4)
  try stream.copy(
    from: world.memory.address, to: world.memory.address + 16, byteCount: 16)
  try world.upload(stream, first: 4, count: 2)
  try stream.clear(world.memory.address + 28, byteCount: 4)
  #expect(try world.result(8) == [5, 6, 3, 4, 1, 2, 3, 0])
}

@Test(arguments: configurations.indices)
func `an event lets one stream wait for another`(_ index: Int) throws {
  let world = try World(configurations[index])
  let (first, second) = (try world.stream("first"), try world.stream("second"))
  for round in 0..<50 {
    let arrived = try world.device.makeEvent()
    world.set([UInt32(round), 0])
    try world.upload(first, count: 1)
    try first.record(arrived)
    try second.wait(for: arrived)
    try world.download(second, first: 0, count: 1, to: 1)
    try second.synchronize()
    #expect(world.numbers[1] == UInt32(round))
  }
}

@Test func `a wait for an event that was never recorded waits for nothing`() throws {
  let world = try World()
  let stream = try world.stream("one")
  let event = try world.device.makeEvent()
  try stream.wait(for: event)
  try stream.synchronize()
  #expect(try event.isDone())
  #expect(try event.time() == nil)
}

@Test(arguments: configurations.indices)
func `words lead host and streams through a dialogue`(_ index: Int) throws {
  let world = try World(configurations[index])
  world.clearWords()
  let (compute, experts) = (try world.stream("compute"), try world.stream("experts"))
  for layer in 1...20 as ClosedRange<UInt32> {
    try world.launch("checking_fill", on: compute, grid: .init(2), block: .init(3))
    try compute.write(layer, to: world.word(0))
    try compute.wait(for: world.word(1), atLeast: layer)
    try compute.wait(for: world.word(2), atLeast: layer)
    try world.upload(compute, count: 1)
  }
  for layer in 1...20 as ClosedRange<UInt32> {
    try world.device.wait(for: world.word(0), atLeast: layer) {}
    try experts.write(layer, to: world.word(2))
    world.set([1000 + layer])
    world.device.write(layer, to: world.word(1))
  }
  #expect(try world.result(2) == [1020, 1])
}

@Test func `sequence numbers wrap`() throws {
  let world = try World()
  let stream = try world.stream("one")
  world.device.write(.max - 1, to: world.word(0))
  try stream.wait(for: world.word(0), atLeast: 1)
  try stream.write(7, to: world.word(1))
  world.device.write(2, to: world.word(0))
  try world.device.wait(for: world.word(1), atLeast: 7) {}
}

@Test func `what waits does other things meanwhile`() throws {
  for configuration in configurations {
    let world = try World(configuration)
    world.clearWords()
    let stream = try world.stream("one")
    try stream.wait(for: world.word(0), atLeast: 1)
    try stream.write(1, to: world.word(1))
    var looks = 0
    try world.device.wait(for: world.word(1), atLeast: 1) {
      looks += 1
      if looks == 1 { world.device.write(1, to: world.word(0)) }
    }
    #expect(looks >= 1)
  }
}

@Test func `an overwritten source shows`() throws {
  // The stream stands before the copy, so that the host is earlier for certain.
  let world = try World()
  world.clearWords()
  let stream = try world.stream("upload")
  try stream.wait(for: world.word(0), atLeast: 1)
  world.set([7])
  try world.upload(stream, count: 1)
  world.set([8])
  world.device.write(1, to: world.word(0))
  #expect(try world.result(1) == [8])
}

@Test func `a source that changes before its copy has run is found`() throws {
  let world = try World(.late([]))
  let stream = try world.stream("upload")
  world.set([7])
  try world.upload(stream, count: 1)
  try stream.synchronize()
  world.set([8])
  try world.upload(stream, count: 1)
  world.set([9])
  #expect(
    throws: DeviceError.lost(
      device: "emulated device",
      reason: "a copy of stream \"upload\" has a source that changed before it had run")
  ) { try stream.synchronize() }
}

@Test(arguments: [["one", "two"], ["two", "one"], ["two"]])
func `a test says which stream is late`(_ names: [String]) throws {
  let world = try World(.late(names))
  world.clearWords()
  for name in ["one", "two"] {
    let stream = try world.stream(name)
    try stream.write(name == "one" ? 1 : 2, to: world.word(0))
    // Nothing runs before the host waits.
    #expect(world.word(0).load() == 0)
  }
  try world.device.synchronize()
  #expect(world.word(0).load() == (names == ["one", "two"] ? 2 : 1))
}

@Test func `memory that the driver stages may be overwritten at once`() throws {
  let world = try World()
  world.clearWords()
  let stream = try world.stream("upload")
  try stream.wait(for: world.word(0), atLeast: 1)
  var value: UInt32 = 7
  try withUnsafeBytes(of: &value) { try stream.copyPageable(from: $0, to: world.memory.address) }
  value = 8
  world.device.write(1, to: world.word(0))
  #expect(try world.result(1) == [7])
}
