import HostMemory
import Synchronization
import Testing

@testable import CPUCompute

@Suite struct ThreadTeamTests {
  @Test(arguments: [1, 2, 3, 7])
  func `every thread takes part once`(_ threadCount: Int) throws {
    let team = try ThreadTeam(threadCount: threadCount)
    let seen = Mutex<[Int]>([])
    team.run { thread in seen.withLock { $0.append(thread) } }
    #expect(seen.withLock { $0.sorted() } == Array(0..<threadCount))
  }

  @Test func `every chunk is done once, over thousands of regions`() throws {
    let team = try ThreadTeam(threadCount: 3)
    let total = Atomic<Int>(0)
    for region in 0..<3_000 {
      let count = region % 11
      team.forEachChunk(count: count) { _, chunk in
        total.wrappingAdd(chunk + 1, ordering: .relaxed)
      }
    }
    let expected = (0..<3_000).reduce(0) { $0 + ($1 % 11) * ($1 % 11 + 1) / 2 }
    #expect(total.load(ordering: .relaxed) == expected)
  }

  @Test func `what a region wrote is seen behind it`() throws {
    let team = try ThreadTeam(threadCount: 2)
    let memory = try AlignedBuffer(byteCount: 8 * 64, purpose: "test")
    // Safety: every chunk writes a place of its own.
    nonisolated(unsafe) let numbers = memory.base.bindMemory(to: Int.self, capacity: 64)
    for round in 1..<500 {
      team.forEachChunk(count: 64) { _, chunk in numbers[chunk] = round * chunk }
      #expect((0..<64).allSatisfy { numbers[$0] == round * $0 })
    }
  }

  @Test func `teams come and go`() throws {
    for _ in 0..<50 {
      let team = try ThreadTeam(threadCount: 4)
      team.run { _ in }
    }
  }

  @Test func `workers that sleep come to the next region`() throws {
    let team = try ThreadTeam(threadCount: 3)
    for _ in 0..<20 {
      // Longer than workers spin.
      let end = ContinuousClock.now + .microseconds(300)
      while ContinuousClock.now < end {}
      let seen = Atomic<Int>(0)
      team.run { _ in seen.wrappingAdd(1, ordering: .relaxed) }
      #expect(seen.load(ordering: .relaxed) == 3)
    }
  }

  @Test func `regions for all and regions of chunks take turns`() throws {
    let team = try ThreadTeam(threadCount: 4)
    let total = Atomic<Int>(0)
    for _ in 0..<500 {
      team.run { _ in total.wrappingAdd(1, ordering: .relaxed) }
      team.forEachChunk(count: 5) { _, _ in total.wrappingAdd(1, ordering: .relaxed) }
    }
    #expect(total.load(ordering: .relaxed) == 500 * 9)
  }

  @Test func `the caller waits for a worker that is still in a chunk`() throws {
    let team = try ThreadTeam(threadCount: 2)
    let isInside = Atomic<Bool>(false)
    let finished = Atomic<Int>(0)
    team.forEachChunk(count: 2) { thread, _ in
      if thread == 0 {
        // Only where the worker came: on a busy machine the caller may do both chunks.
        let end = ContinuousClock.now + .milliseconds(20)
        while !isInside.load(ordering: .acquiring), ContinuousClock.now < end {}
      } else {
        isInside.store(true, ordering: .releasing)
        let end = ContinuousClock.now + .milliseconds(1)
        while ContinuousClock.now < end {}
      }
      finished.wrappingAdd(1, ordering: .releasing)
    }
    #expect(finished.load(ordering: .acquiring) == 2)
  }

  @Test func `bound threads run where they are bound, and the caller is set free`() throws {
    let before = try #require(Affinity.ofThisThread())
    var team: ThreadTeam? = try ThreadTeam(
      threadCount: 3, processors: [[before[0]], [before[before.count - 1]], before])
    let seen = Mutex<[Int: [Int]]>([:])
    team?.run { thread in
      let own = Affinity.ofThisThread()
      seen.withLock { $0[thread] = own }
    }
    #expect(
      seen.withLock { $0 } == [0: [before[0]], 1: [before[before.count - 1]], 2: before])
    team = nil
    #expect(Affinity.ofThisThread() == before)
  }

  @Test func `a processor that is not there is an error, and the caller is set free`() throws {
    let before = try #require(Affinity.ofThisThread())
    #expect(throws: HostMemoryError.self) {
      try ThreadTeam(threadCount: 2, processors: [before, [65_000]])
    }
    #expect(Affinity.ofThisThread() == before)
  }
}
