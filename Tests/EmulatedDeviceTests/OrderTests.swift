import Devices
import EmulatedDevice
import Testing

/// In which order the operations of four streams happened: each copies the marks so far and adds its own.
private func order(seed: UInt64?, threadCount: Int?) throws -> [UInt32] {
  let world = try World(.init(seed: seed, threadCount: threadCount))
  let streams = try (0..<4).map { try world.stream("\($0)") }
  let setUp = try world.stream("set up")
  try setUp.clear(world.memory.address, byteCount: 4 * world.count)
  try setUp.synchronize()
  for _ in 0..<5 {
    for (index, stream) in streams.enumerated() {
      try world.launch(
        "checking_mark", on: stream, grid: .init(1), block: .init(1), count: UInt32(index))
    }
  }
  return Array(try world.result(21).dropFirst())
}

@Test func `without a seed streams progress in the order of submission`() throws {
  for threadCount in [0, 1] {
    let expected = (0..<20).map { UInt32($0 % 4) }
    #expect(try order(seed: nil, threadCount: threadCount) == expected)
  }
}

@Test func `seeds draw orders that are different, legal and the same again`() throws {
  var orders: Set<[UInt32]> = []
  for seed in 1...40 as ClosedRange<UInt64> {
    let order = try order(seed: seed, threadCount: nil)
    #expect(try order == EmulatedDeviceTests.order(seed: seed, threadCount: nil))
    // Everything happened.
    #expect(order.sorted() == (0..<20).map { UInt32($0 / 5) })
    orders.insert(order)
  }
  #expect(orders.count > 30)
}

@Test func `a missing event is found by some seed`() throws {
  func firstNumber(seed: UInt64, dropsWait: Bool) throws -> UInt32 {
    var configuration = EmulatedDevice.Configuration(seed: seed)
    if dropsWait {
      configuration.ignoredOperations = { $0.stream == "compute" && $0.kind == .waitForEvent }
    }
    let world = try World(configuration)
    let (upload, compute) = (try world.stream("upload"), try world.stream("compute"))
    let arrived = try world.device.makeEvent()
    world.set([42])
    try world.upload(upload, count: 1)
    try upload.record(arrived)
    try compute.wait(for: arrived)
    try world.download(compute, first: 0, count: 1, to: 1)
    try world.device.synchronize()
    return world.numbers[1]
  }
  var wrong = 0
  for seed in 1...20 as ClosedRange<UInt64> {
    #expect(try firstNumber(seed: seed, dropsWait: false) == 42)
    if try firstNumber(seed: seed, dropsWait: true) != 42 { wrong += 1 }
  }
  #expect(wrong > 0)
}

@Test func `threads and blocks run in an order that the seed draws`() throws {
  var orders: Set<[UInt32]> = []
  for seed in [nil, 1, 2, 3, 4] as [UInt64?] {
    let world = try World(.init(seed: seed))
    let stream = try world.stream("one")
    try stream.clear(world.memory.address, byteCount: 4)
    try world.launch("checking_order", on: stream, grid: .init(2, 3), block: .init(4, 2))
    let result = try world.result(49)
    #expect(result[0] == 48)
    let order = Array(result.dropFirst())
    if seed == nil { #expect(order == Array(0..<48)) }
    #expect(order.sorted() == Array(0..<48))
    orders.insert(order)
  }
  #expect(orders.count == 5)
}
