import Devices
import EmulatedDevice
import Testing

/// Numbers drawn for a program.
private struct Draw {
  var state: UInt64
  mutating func below(_ count: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int(state >> 33) % count
  }
}

/// A program of marks on four streams, tied by events and words, and what must come before what.
private struct Program {
  /// Pairs of marks: the first before the second.
  var before: [(Int, Int)] = []
  var times: [Double] = []
  var marks: [Int] = []

  /// Submits and runs it.
  init(_ world: World, seed: UInt64, steps: Int = 60) throws {
    var draw = Draw(state: seed)
    world.clearWords()
    let setUp = try world.stream("set up")
    try setUp.clear(world.memory.address, byteCount: 4 * world.count)
    try setUp.synchronize()
    let streams = try (0..<4).map { try world.stream("\($0)") }
    var last: [Set<Int>] = Array(repeating: [], count: 4)
    var events: [(event: any DeviceEvent, marks: Set<Int>)] = []
    var words = 0
    for step in 0..<steps {
      let index = draw.below(4)
      let stream = streams[index]
      switch draw.below(8) {
      case 0:
        let event = try world.device.makeEvent()
        try stream.record(event)
        events.append((event, last[index]))
      case 1 where !events.isEmpty:
        let some = events[draw.below(events.count)]
        try stream.wait(for: some.event)
        last[index].formUnion(some.marks)
      case 2:
        // One stream writes, another waits.
        let other = draw.below(4)
        words += 1
        try stream.write(1, to: world.word(words))
        try streams[other].wait(for: world.word(words), atLeast: 1)
        last[other].formUnion(last[index])
      case 3 where draw.below(4) == 0:
        // The host waits for a stream: everything later is after it.
        try stream.synchronize()
        for each in 0..<4 { last[each].formUnion(last[index]) }
      default:
        before += last[index].map { ($0, step) }
        try world.launch(
          "checking_mark", on: stream, grid: .init(1), block: .init(1), count: UInt32(step))
        last[index] = [step]
        marks.append(step)
      }
    }
    try world.device.synchronize()
    times = try events.map { try $0.event.time() ?? -1 }
    let happened = try world.result(1 + marks.count)
    try #require(happened[0] == UInt32(marks.count))
    happenedInOrder = happened.dropFirst().map { Int($0) }
  }

  var happenedInOrder: [Int] = []
}

@Test func `drawn programs happen in a legal order`() throws {
  for (index, configuration) in configurations.enumerated() {
    for seed in 1...12 as ClosedRange<UInt64> {
      // Marks count themselves: kernels may not run beside each other.
      if configuration.threadCount == 2 { continue }
      var configuration = configuration
      if configuration.seed != nil { configuration.seed = seed }
      let program = try Program(World(configuration), seed: seed)
      #expect(program.happenedInOrder.sorted() == program.marks)
      var place: [Int: Int] = [:]
      for (at, mark) in program.happenedInOrder.enumerated() { place[mark] = at }
      let wrong = program.before.filter { place[$0.0]! >= place[$0.1]! }
      #expect(wrong.isEmpty, "configuration \(index), seed \(seed)")
    }
  }
}

@Test func `modelled times do not depend on who does the work`() throws {
  for seed in 1...20 as ClosedRange<UInt64> {
    let programs = try [0, 1].map { threadCount in
      try Program(
        World(.init(timing: .modelled(EmulatedTimes()), threadCount: threadCount)), seed: seed)
    }
    #expect(programs[0].times == programs[1].times, "seed \(seed)")
    #expect(programs[0].happenedInOrder == programs[1].happenedInOrder, "seed \(seed)")
  }
}

/// Six numbers go through two slots: each slot is written when its last reader is done, and read when its number is there.
private func throughSlots(
  seed: UInt64, ignoring isIgnored: (@Sendable (EmulatedOperation) -> Bool)? = nil
) throws -> [UInt32] {
  let world = try World(.init(seed: seed, ignoredOperations: isIgnored))
  let (upload, compute) = (try world.stream("upload"), try world.stream("compute"))
  let arrived = try (0..<2).map { _ in try world.device.makeEvent() }
  let read = try (0..<2).map { _ in try world.device.makeEvent() }
  world.set((0..<6).map { 10 + $0 })
  for index in 0..<6 {
    let slot = index % 2
    try upload.wait(for: read[slot])
    try world.upload(upload, first: index, count: 1, to: slot)
    try upload.record(arrived[slot])
    try compute.wait(for: arrived[slot])
    try world.download(compute, first: slot, count: 1, to: 100 + index)
    try compute.record(read[slot])
  }
  try world.device.synchronize()
  return Array(world.numbers[100..<106])
}

@Test func `every wait that a program needs is missed by some seed`() throws {
  let right: [UInt32] = [10, 11, 12, 13, 14, 15]
  let seeds = 1...60 as ClosedRange<UInt64>
  for seed in seeds { #expect(try throughSlots(seed: seed) == right) }
  // The first reader of each slot waits for nothing: those two waits may go.
  for (stream, needed) in [("upload", 2..<6), ("compute", 0..<6)] {
    for index in needed {
      let finder = try seeds.first { seed in
        try throughSlots(seed: seed) {
          $0.stream == stream && $0.kind == .waitForEvent && $0.index == index
        } != right
      }
      #expect(finder != nil, "wait \(index) of stream \(stream)")
    }
  }
  let finder = try seeds.first { seed in
    try throughSlots(seed: seed) { $0.stream == "host" } != right
  }
  #expect(finder != nil, "the host's wait")
}

@Test func `a recording that is left out leaves its event as it was`() throws {
  let world = try World(
    .init(ignoredOperations: { $0.kind == .record && $0.index == 1 }))
  world.clearWords()
  let stream = try world.stream("one")
  let event = try world.device.makeEvent()
  try stream.record(event)
  try stream.synchronize()
  try stream.wait(for: world.word(0), atLeast: 1)
  try stream.record(event)
  #expect(try event.isDone())
  try stream.record(event)
  #expect(try !event.isDone())
  world.device.write(1, to: world.word(0))
  try event.synchronize()
}
