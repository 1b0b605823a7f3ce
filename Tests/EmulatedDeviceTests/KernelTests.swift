import Devices
import EmulatedDevice
import Testing

private let seeds: [UInt64?] = [nil, 1, 2, 3]

@Test func `every thread of every block runs once`() throws {
  for seed in seeds {
    let world = try World(.init(seed: seed))
    try world.launch(
      "checking_fill", on: try world.stream("one"), grid: .init(2, 3, 2), block: .init(5, 2, 3))
    let expected: [UInt32] = (0..<360).map { (i: UInt32) -> UInt32 in 1000 * (i / 30) + i % 30 }
    #expect(try world.result(360) == expected)
  }
}

@Test func `threads meet at barriers`() throws {
  for seed in seeds {
    let world = try World(.init(seed: seed))
    try world.launch(
      "checking_sum", on: try world.stream("one"), grid: .init(5), block: .init(64), shared: 256)
    #expect(try world.result(5) == Array(repeating: 2016, count: 5))
  }
}

@Test func `without its barriers a sum is wrong`() throws {
  let world = try World()
  try world.launch(
    "checking_sum", on: try world.stream("one"), grid: .init(1), block: .init(64), shared: 256,
    wrong: 1)
  #expect(try world.result(1) != [2016])
}

@Test func `lanes of a warp exchange numbers`() throws {
  for seed in seeds {
    for threads in [32, 64, 96, 256] {
      let world = try World(.init(seed: seed))
      try world.launch(
        "checking_exchange", on: try world.stream("one"), grid: .init(3), block: .init(threads))
      let sum = Float(threads * (threads - 1) / 2).bitPattern
      #expect(try world.result(3 * threads) == Array(repeating: sum, count: 3 * threads))
    }
  }
}

@Test func `each kind of exchange brings what CUDA says`() throws {
  // y[exchange][lane]
  let formulas: [(UInt32) -> UInt32] = [
    { _ in 105 },
    { 100 + $0 / 8 * 8 + 1 },
    { 100 + ($0 >= 3 ? $0 - 3 : $0) },
    { 100 + ($0 < 29 ? $0 + 3 : $0) },
    { 100 + ($0 ^ 9) },
    { _ in 0x4924_9249 },
    { _ in 2 },
    { (100 + ($0 ^ 1)) * 10 + 7 },
    { 100 + ($0 ^ ($0 < 16 ? 1 : 2)) },
    { _ in 116 },
  ]
  let expected = formulas.map { formula in (0..<32 as Range<UInt32>).map(formula) }
  for seed in seeds {
    let world = try World(.init(seed: seed))
    try world.launch(
      "checking_kinds", on: try world.stream("one"), grid: .init(1), block: .init(32))
    #expect(try world.result(320) == Array(expected.joined()))
  }
}

@Test func `threads that have ended are not waited for`() throws {
  for seed in seeds {
    for count in [1, 31, 32, 33, 63, 70] {
      let world = try World(.init(seed: seed))
      let stream = try world.stream("one")
      try stream.clear(world.memory.address, byteCount: 4 * 70)
      try world.launch(
        "checking_ended", on: stream, grid: .init(1), block: .init(70), count: UInt32(count))
      #expect(try world.result(70) == (0..<70).map { $0 < count ? 1 : 0 })
    }
  }
}

@Test(arguments: [
  (1, "threads of a block wait for ever"), (2, "wait at different __syncthreads"),
  (3, "threads of a block wait for ever"), (4, "exchanges with the lanes"),
])
func `threads that wait at different places for ever are found`(
  _ wrong: UInt32, _ text: String
) throws {
  for seed in seeds {
    let world = try World(.init(seed: seed))
    let stream = try world.stream("one")
    let error = #expect(throws: DeviceError.self) {
      try world.launch(
        "checking_mismatch", on: stream, grid: .init(2), block: .init(70), count: 33,
        wrong: wrong)
      try stream.synchronize()
    }
    guard case .lost(_, let reason) = try #require(error) else {
      Issue.record("not lost")
      return
    }
    #expect(reason.hasPrefix("kernel checking_mismatch: ") && reason.contains(text), "\(reason)")
  }
}

@Test func `after a kernel that failed others run as ever`() throws {
  for _ in 0..<3 {
    let world = try World()
    let stream = try world.stream("one")
    try world.launch(
      "checking_mismatch", on: stream, grid: .init(1), block: .init(70), count: 33, wrong: 1)
    #expect(throws: DeviceError.self) { try stream.synchronize() }
    let other = try World()
    try other.launch(
      "checking_sum", on: try other.stream("one"), grid: .init(5), block: .init(64), shared: 256)
    #expect(try other.result(1) == [2016])
  }
}

@Test func `what a driver refuses is refused`() throws {
  let world = try World()
  let stream = try world.stream("one")
  #expect(throws: DeviceError.noKernel(name: "nothing", device: "emulated device")) {
    try world.device.kernel("nothing")
  }
  for (grid, block, shared) in [
    (LaunchSize(1), LaunchSize(1025), 0), (LaunchSize(0), LaunchSize(1), 0),
    (LaunchSize(1, 65536), LaunchSize(1), 0), (LaunchSize(1), LaunchSize(1, 1, 65), 0),
    (LaunchSize(1), LaunchSize(1), 49153),
  ] {
    #expect(throws: DeviceError.self) {
      try world.launch("checking_fill", on: stream, grid: grid, block: block, shared: shared)
    }
  }
  #expect(throws: DeviceError.self) {
    try stream.clear(world.memory.address + 4, byteCount: 4 * world.count)
  }
}
