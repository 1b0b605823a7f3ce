import Devices
import EmulatedDevice
import Testing

/// Copies: 10 + bytes / 100; kernels: 5 + 20 for each block; the host: 1 for each submission.
private func times() -> EmulatedTimes {
  var times = EmulatedTimes()
  times.copyLatencyMicroseconds = 10
  times.uploadBytesPerMicrosecond = 100
  times.downloadBytesPerMicrosecond = 50
  times.launchMicroseconds = 5
  times.submissionMicroseconds = 1
  times.kernelMicroseconds = { name, grid, _, _ in name == "publish" ? 0 : Double(20 * grid.x) }
  return times
}

/// What the host saw at which time.
private func workedExample(threadCount: Int) throws -> [Double] {
  let world = try World(.init(timing: .modelled(times()), threadCount: threadCount))
  let clock = world.device.clock
  let (compute, upload) = (try world.stream("compute"), try world.stream("upload"))
  let (arrived, done) = (try world.device.makeEvent(), try world.device.makeEvent())
  var seen: [Double] = []
  // Submitted at 1: from 1 to 31, as 2000 bytes take 10 + 20. The record is at 31.
  try world.upload(upload, count: 500)
  try upload.record(arrived)
  // Submitted at 3, waits for its engine: from 31 to 51.
  try world.upload(upload, count: 250)
  // Submitted at 4: from 4 to 29. Then a wait until 31, and from 31 to 76.
  try world.launch("checking_fill", on: compute, grid: .init(1), block: .init(1))
  try compute.wait(for: arrived)
  try world.launch("checking_fill", on: compute, grid: .init(2), block: .init(1))
  try compute.record(done)
  // Submitted at 8: a download has its own engine, but comes after the stream's kernel: from 76 to 94.
  try world.download(compute, first: 0, count: 100, to: 0)
  seen.append(clock.now)  // 8
  clock.hostWorked(microseconds: 22.5)
  seen.append(clock.now)  // 30.5
  #expect(try !arrived.isDone())  // 30.5, and asking takes 0.5: 31
  #expect(try arrived.isDone())
  #expect(try arrived.time() == 31)
  #expect(try done.time() == nil)
  try done.synchronize()
  seen.append(clock.now)  // 76
  try upload.synchronize()
  seen.append(clock.now)  // 76: it was done at 51
  try world.device.synchronize()
  seen.append(clock.now)  // 94
  seen.append(try #require(try done.time()))  // 76
  return seen
}

@Test func `modelled times are those of the rule`() throws {
  for threadCount in [0, 1] {
    #expect(try workedExample(threadCount: threadCount) == [8, 30.5, 76, 76, 94, 76])
  }
}

@Test func `the engine goes to what could start first, not to what was submitted first`() throws {
  let world = try World(.init(timing: .modelled(times())))
  let (first, second) = (try world.stream("first"), try world.stream("second"))
  // 1 ... 26: a kernel, then a copy that could start at 26, submitted at 2.
  try world.launch("checking_fill", on: first, grid: .init(1), block: .init(1))
  try world.upload(first, count: 100)
  // Submitted at 3, starts at 3: 10 + 4.
  try world.upload(second, count: 100)
  let (a, b) = (try world.device.makeEvent(), try world.device.makeEvent())
  try first.record(a)
  try second.record(b)
  try world.device.synchronize()
  #expect(try b.time() == 17)
  #expect(try a.time() == 40)
}

@Test func `words carry times between host and streams`() throws {
  for threadCount in [0, 1] {
    let world = try World(.init(timing: .modelled(times()), threadCount: threadCount))
    world.clearWords()
    let clock = world.device.clock
    let (compute, experts) = (try world.stream("compute"), try world.stream("experts"))
    // 1 ... 26 and the word at 26; then it waits for both lanes.
    try world.launch("checking_fill", on: compute, grid: .init(1), block: .init(1))
    try compute.write(1, to: world.word(0))
    try compute.wait(for: world.word(1), atLeast: 1)
    try compute.wait(for: world.word(2), atLeast: 1)
    try world.launch("checking_fill", on: compute, grid: .init(1), block: .init(1))
    let end = try world.device.makeEvent()
    try compute.record(end)
    #expect(clock.now == 6)
    try world.device.wait(for: world.word(0), atLeast: 1) {}
    #expect(clock.now == 26)
    // 27 ... 72: the experts' word at 72.
    try world.launch("checking_fill", on: experts, grid: .init(2), block: .init(1))
    try experts.write(1, to: world.word(2))
    clock.hostWorked(microseconds: 12)
    world.device.write(1, to: world.word(1))  // at 40
    try end.synchronize()
    #expect(clock.now == 97)
    #expect(try end.time() == 97)
  }
}

@Test func `what the host submits while it waits is submitted at that moment`() throws {
  let world = try World(.init(timing: .modelled(times())))
  world.clearWords()
  let (compute, upload) = (try world.stream("compute"), try world.stream("upload"))
  let (piece, copied) = (try world.device.makeEvent(), try world.device.makeEvent())
  // 1 ... 106
  try world.launch("checking_fill", on: compute, grid: .init(5), block: .init(1))
  try compute.write(1, to: world.word(0))
  // 3 ... 23, as submitted at 3.
  try world.upload(upload, count: 250)
  try upload.record(piece)
  var pieces = 1
  try world.device.wait(for: world.word(0), atLeast: 1) {
    guard pieces < 3, try piece.isDone() else { return }
    pieces += 1
    try world.upload(upload, count: 250)
    try upload.record(piece)
  }
  #expect(pieces == 3)
  try upload.record(copied)
  try world.device.synchronize()
  // At 23 the next is submitted, 24 ... 44, then 45 ... 65.
  #expect(try piece.time() == 65)
  #expect(world.device.clock.now == 107)
}

@Test func `a delayed copy is late by as much`() throws {
  let world = try World(
    .init(
      timing: .modelled(times()), failures: [.copyDelayed(number: 2, microseconds: 1_000_000)]))
  let stream = try world.stream("upload")
  try world.upload(stream, count: 250)
  try world.upload(stream, count: 250)
  try stream.synchronize()
  #expect(world.device.clock.now == 1_000_041)
}

@Test func `a publishing kernel's word comes when the kernel ends`() throws {
  let world = try World(.init(timing: .modelled(times())))
  world.clearWords()
  let stream = try world.stream("compute")
  try world.launch("checking_fill", on: stream, grid: .init(1), block: .init(1))
  var arguments = (world.word(0).deviceAddress, UInt32(3), UInt32(0))
  try withUnsafeBytes(of: &arguments) {
    try stream.launch(
      world.device.kernel("publish"), grid: .init(1), block: .init(1), sharedByteCount: 0,
      arguments: $0)
  }
  try world.device.wait(for: world.word(0), atLeast: 3) {}
  #expect(world.device.clock.now == 31)
}

@Test func `real time runs by itself`() throws {
  let world = try World()
  let clock = world.device.clock
  let before = clock.now
  clock.hostWorked(microseconds: 1e9)
  let stream = try world.stream("one")
  let event = try world.device.makeEvent()
  try stream.record(event)
  try event.synchronize()
  let time = try #require(try event.time())
  #expect(before >= 0 && time >= before && clock.now >= time && clock.now < 1e9)
}
