import Devices
import EmulatedDevice
import ExpertDirection
import ExpertScheduling
import Experts
import Glibc
import HostMemory
import Synchronization
import Testing

@testable import HybridExperts

/// The parts that copies are made of: events, staging pieces, issued pieces, threads beside the host.
@Suite struct CopyOrderTests {
  @Test func `an event is used again when nobody refers to its mark`() throws {
    let device = try EmulatedDevice()
    let stream = try device.makeStream(name: "stream")
    let pool = EventPool(device)
    var first: StreamMark? = try pool.mark(stream)
    let event = try #require(first?.event)
    #expect(try pool.mark(stream).event !== event)
    first = nil
    let (second, third) = (try pool.mark(stream), try pool.mark(stream))
    #expect(second.event === event || third.event === event)
  }

  @Test func `staging pieces take turns, so that the first ones wait for nothing`() throws {
    let log = OperationLog()
    var configuration = EmulatedDevice.Configuration(ignoredOperations: log.note)
    configuration.precedence = []
    let device = try EmulatedDevice(configuration)
    let stream = try device.makeStream(name: "upload")
    var budget = PinnedBudget(byteCount: 0)
    budget.stagingByteCount = 1024
    let source = try PinnedSource(
      device, store: nil, marks: EventPool(device), budget: budget, largestTile: 256)
    let memory = try device.allocate(byteCount: 8192, purpose: "what is copied")
    let bytes = (0..<8192).map { UInt8(truncatingIfNeeded: $0 * 7 + $0 / 1024) }
    try bytes.withUnsafeBytes { bytes in
      try source.copy(
        UnsafeRawBufferPointer(rebasing: bytes[..<4096]), to: memory.address, on: stream)
      #expect(log.count("host", .hostWaitForEvent) == 0)
      try source.copy(
        UnsafeRawBufferPointer(rebasing: bytes[4096...]), to: memory.address + 4096, on: stream)
    }
    #expect(log.count("host", .hostWaitForEvent) == 4)
    let back = try device.allocatePinned(byteCount: 8192, purpose: "what has come")
    try stream.copy(from: memory.address, to: back.span(0, byteCount: 8192))
    try device.synchronize()
    #expect(bytes.elementsEqual(UnsafeRawBufferPointer(start: back.base, count: 8192)))
  }

  @Test func `a whole copy is not issued again`() throws {
    let log = OperationLog()
    let served = try ServedLayers(
      MadeExperts(), .init(ignoredOperations: log.note),
      system: SystemDescription(.allGPU, cacheRatio: 0.5))
    let executor = served.executor
    executor.residency.keep { _ in false }
    let upload = try #require(try executor.residency.bring(ExpertID(layer: 0, index: 0)))
    try executor.residency.complete(upload)
    log.clear()
    #expect(try executor.uploader.issue(upload, through: 1, of: 1))
    #expect(log.operations.isEmpty)
  }

  @Test func `an expert's arrival is never that of the one before`() async {
    await #expect(processExitsWith: .failure) {
      let device = try EmulatedDevice(.init(waitsForMemory: false))
      let stream = try device.makeStream(name: "experts")
      let pool = EventPool(device)
      let slots = try ExpertSlots(device, count: 1, slotByteCount: 256)
      let expert = ExpertID(layer: 0, index: 0)
      _ = slots.claim(for: expert)
      slots.noteArrival(of: 0, try pool.mark(stream))
      slots.drop(expert)
      _ = slots.claim(for: expert)
      try slots.waitForArrival(in: 0, on: stream, waitsForMemory: false)
    }
  }

  // MARK: Threads

  @Test func `an executor that is let go takes its threads with it`() throws {
    var configuration = EmulatedDevice.Configuration()
    configuration.hostThreadCount = 3
    var served: ServedLayers? = try ServedLayers(
      MadeExperts(), configuration, { $0.clock = .measured },
      system: SystemDescription(.allGPU, cacheRatio: 0.5))
    weak let link = served?.executor.link
    weak let pinning = served?.executor.pinning
    #expect(link != nil && pinning != nil)
    served?.executor.end()
    served = nil
    #expect(link == nil && pinning == nil)
  }

  @Test func `a background thread is gone when its end has been waited for`() throws {
    for _ in 0..<100 {
      var thread: BackgroundThread? = try BackgroundThread(
        work: {
          for _ in 0..<100 { sched_yield() }
          return nil
        }, onFailure: { _ in })
      weak let held = thread
      thread?.end()
      thread = nil
      #expect(held == nil)
    }
  }

  @Test func `a background thread waits for a piece before it looks again`() throws {
    let event = CountedEvent()
    let (calls, waits) = (CountedEvent(), CountedEvent())
    let thread = try BackgroundThread(
      work: {
        calls.add(1)
        if calls.count == 1 { return event }
        if calls.count == 2 { waits.add(event.count) }
        return nil
      }, onFailure: { _ in })
    while calls.count < 2 { sched_yield() }
    thread.end()
    #expect(waits.count == 1)
  }
}

/// An event that has always come, and counts who waits for it.
private final class CountedEvent: DeviceEvent {
  private let number = Atomic(0)

  var count: Int { number.load(ordering: .sequentiallyConsistent) }

  func add(_ more: Int) { number.add(more, ordering: .sequentiallyConsistent) }
  func isDone() -> Bool { true }
  func synchronize() { add(1) }
  func time() -> Double? { 0 }
}
