import CPUCompute
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

/// Memory is pinned beside the steps.
@Suite struct PinningTests {
  @Test func `layers are served while memory is being pinned`() throws {
    let experts = MadeExperts()
    var gate: GatedDevice?
    var configuration = EmulatedDevice.Configuration()
    configuration.hostThreadCount = 3
    // What lies in the slots at first is pinned at once, when nobody is kept waiting.
    var system = SystemDescription(.adapmoe, cacheRatio: 0.25)
    system.initialResidency = .empty
    let served = try ServedLayers(
      experts, configuration,
      {
        let device = GatedDevice($0.device)
        gate = device
        $0.device = device
        $0.clock = .measured
      }, system: system)
    defer { served.executor.end() }
    let device = try #require(gate)
    let steps = experts.steps([6, 1, 1, 1, 1, 1, 1, 1], seed: 9)
    for step in steps { #expect(bits(try served.run(step)) == bits(try experts.reference(step))) }
    let before = try served.executor.statistics()
    #expect(before.stagedBytes > 0 && before.notes.isEmpty)
    // Somebody has asked for it, and has not got it.
    device.open()
    device.waitForPin()
    #expect(try served.executor.statistics().pinnedBytes > 0)
    for step in steps { #expect(bits(try served.run(step)) == bits(try experts.reference(step))) }
    #expect(try served.executor.statistics().stagedBytes == before.stagedBytes)
  }

  @Test func `chunks are pinned as they are wanted, and the one behind`() throws {
    let world = try ChunkWorld(budgetChunks: 10)
    #expect(try world.chunks.pinned(world.bytes(chunk: 0)) == nil)
    #expect(world.wishes == 1)
    try world.chunks.pinWanted()
    #expect(world.chunks.pinnedByteCount == 2 * world.chunk)
    #expect(try world.chunks.pinned(world.bytes(chunk: 1))?.byteCount == 100)
    // It is there already; the one behind is asked for when it is wanted itself.
    #expect(world.wishes == 2 && world.chunks.refusal == nil)
    #expect(try world.chunks.pinned(world.bytes(chunk: 5)) == nil)
    try world.chunks.pinWanted()
    #expect(try world.chunks.pinned(world.bytes(chunk: 5)) != nil)
    #expect(world.chunks.pinnedByteCount == 5 * world.chunk)
  }

  @Test func `the budget is kept, and said to be used up by whoever wants more`() throws {
    let world = try ChunkWorld(budgetChunks: 1)
    _ = try world.chunks.pinned(world.bytes(chunk: 0))
    try world.chunks.pinWanted()
    // The one behind was nobody's wish.
    #expect(world.chunks.pinnedByteCount == world.chunk && world.chunks.refusal == nil)
    #expect(try world.chunks.pinned(world.bytes(chunk: 1)) == nil)
    try world.chunks.pinWanted()
    #expect(world.chunks.pinnedByteCount == world.chunk)
    #expect(world.chunks.refusal?.contains("budget") == true)
    #expect(try world.chunks.pinned(world.bytes(chunk: 0)) != nil)
  }

  @Test func `what the system refuses is said, and counts for nothing`() throws {
    let world = try ChunkWorld(budgetChunks: 8, failures: [.pinningBeyond(byteCount: 9000)])
    _ = try world.chunks.pinned(world.bytes(chunk: 0))
    try world.chunks.pinWanted()
    _ = try world.chunks.pinned(world.bytes(chunk: 3))
    try world.chunks.pinWanted()
    #expect(world.chunks.pinnedByteCount == 2 * world.chunk)
    #expect(world.chunks.refusal != nil)
    #expect(try world.chunks.pinned(world.bytes(chunk: 3)) == nil)
  }
}

/// A store of eight chunks, and who is asked to pin them.
private final class ChunkWorld {
  let chunk = 4096
  let store: PackedStore
  let device: EmulatedDevice
  let chunks: PinnedChunks
  private let counter = Counter()
  var wishes: Int { counter.value.load(ordering: .relaxed) }

  private final class Counter: Sendable { let value = Atomic(0) }

  init(budgetChunks: Int, failures: [EmulatedFailure] = []) throws {
    store = try PackedStore(capacityBytes: 8 * chunk, givesBackNativePages: false)
    device = try EmulatedDevice(.init(failures: failures))
    var budget = PinnedBudget(byteCount: budgetChunks * chunk)
    budget.chunkByteCount = chunk
    chunks = PinnedChunks(device, store: store, budget: budget)
    chunks.leavePinning { [counter] in counter.value.wrappingAdd(1, ordering: .relaxed) }
  }

  /// Some bytes in the middle of a chunk.
  func bytes(chunk: Int) -> UnsafeRawBufferPointer {
    let start = chunk * self.chunk + 64
    return UnsafeRawBufferPointer(rebasing: store.memoryRange[start..<start + 100])
  }
}

/// A device that pins nothing until it is told to.
// Safety: the gate is guarded by its mutex.
private final class GatedDevice: Device, @unchecked Sendable {
  private let device: any Device
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var isOpen = false
  private var pinCount = 0

  init(_ device: any Device) {
    self.device = device
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(condition, nil)
  }

  deinit {
    pthread_mutex_destroy(mutex)
    pthread_cond_destroy(condition)
    mutex.deallocate()
    condition.deallocate()
  }

  func open() {
    pthread_mutex_lock(mutex)
    isOpen = true
    pthread_cond_broadcast(condition)
    pthread_mutex_unlock(mutex)
  }

  /// Returns when something has been pinned, or after a time in which all else must have failed.
  func waitForPin() { wait { pinCount > 0 } }

  private func wait(until isDone: () -> Bool) {
    var limit = timespec()
    clock_gettime(CLOCK_REALTIME, &limit)
    limit.tv_sec += 20
    pthread_mutex_lock(mutex)
    while !isDone(), pthread_cond_timedwait(condition, mutex, &limit) == 0 {}
    pthread_mutex_unlock(mutex)
  }

  func pin(_ base: UnsafeMutableRawPointer, byteCount: Int) throws(DeviceError) -> PinnedMemory {
    wait { isOpen }
    let memory = try device.pin(base, byteCount: byteCount)
    pthread_mutex_lock(mutex)
    pinCount += 1
    pthread_cond_broadcast(condition)
    pthread_mutex_unlock(mutex)
    return memory
  }

  var properties: DeviceProperties { device.properties }
  var clock: any DeviceClock { device.clock }
  func freeByteCount() throws(DeviceError) -> Int { try device.freeByteCount() }
  func allocate(byteCount: Int, purpose: String) throws(DeviceError) -> DeviceMemory {
    try device.allocate(byteCount: byteCount, purpose: purpose)
  }
  func allocatePinned(byteCount: Int, purpose: String) throws(DeviceError) -> PinnedMemory {
    try device.allocatePinned(byteCount: byteCount, purpose: purpose)
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
