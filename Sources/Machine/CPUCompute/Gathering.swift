import CKernels
import CSystemCalls
import Glibc
import Synchronization

/// Where the threads of a team meet: the region that is open, who is in it, who sleeps.
///
/// The state is one number, the *gate*: how many regions there have been, whether the last one is still
/// open, and how many workers are inside. A worker enters with one addition and leaves with one
/// subtraction; the caller closes the region when the work has been handed out, and then waits only for
/// those inside. One that comes late finds the gate closed and turns round.
// Safety: `body` is written only while the gate is closed and nobody is inside; opening the gate
// publishes it. The words are allocated once and freed with the last owner.
final class Gathering: @unchecked Sendable {
  /// How long a thread spins before it sleeps: longer than the serial parts of a step, shorter than
  /// anybody notices.
  private static let spinNanoseconds = 100_000
  private static let openBit = 1 << 11
  private static let insideMask = (1 << 11) - 1
  private static let regionShift = 12

  /// Two cache lines for each word, since neighbouring lines are fetched in pairs.
  private struct Padded: ~Copyable {
    let number = Atomic<Int>(0)
    let bell = Atomic<UInt32>(0)
    let rest: (Int, Int, Int, Int, Int, Int, Int) = (0, 0, 0, 0, 0, 0, 0)
    let more: (Int, Int, Int, Int, Int, Int, Int) = (0, 0, 0, 0, 0, 0, 0)
  }

  private var body: ((Int) -> Void)?
  private var isEnding = false
  /// Where the caller's waiting is counted; touched by the caller only.
  var profile: StepProfile?
  private let gate: UnsafeMutablePointer<Padded>
  private let chunks: UnsafeMutablePointer<Padded>
  /// How many workers sleep, and the bell that wakes them.
  private let sleepers: UnsafeMutablePointer<Padded>
  /// Who still has to come to a region for all, and the bell that the caller sleeps by: 1 while it does.
  private let caller: UnsafeMutablePointer<Padded>

  init() {
    gate = .allocate(capacity: 4)
    for index in 0..<4 { (gate + index).initialize(to: Padded()) }
    (chunks, sleepers, caller) = (gate + 1, gate + 2, gate + 3)
  }

  deinit {
    gate.deinitialize(count: 4)
    gate.deallocate()
  }

  /// Opens a region, takes part in it and returns when all who came have left.
  /// - Parameter workerCount: how many workers must come; 0 where nobody must.
  func region(mustCome workerCount: Int, _ body: (Int) -> Void) {
    withoutActuallyEscaping(body) { escaping in
      self.body = escaping
      chunks.pointee.number.store(0, ordering: .relaxed)
      caller.pointee.number.store(workerCount, ordering: .relaxed)
      open()
      escaping(0)
      let finished = profile == nil ? 0 : StepProfile.now()
      if workerCount > 0 {
        waitAsCaller { caller.pointee.number.load(ordering: .sequentiallyConsistent) == 0 }
      }
      gate.pointee.number.wrappingSubtract(Self.openBit, ordering: .sequentiallyConsistent)
      waitAsCaller {
        gate.pointee.number.load(ordering: .sequentiallyConsistent) & Self.insideMask == 0
      }
      self.body = nil
      if let profile { profile.take(.waiting, nanoseconds: StepProfile.now() - finished) }
    }
  }

  /// Sends the workers home.
  func end() {
    isEnding = true
    open()
  }

  private func open() {
    gate.pointee.number.wrappingAdd(
      1 << Self.regionShift + Self.openBit, ordering: .sequentiallyConsistent)
    guard sleepers.pointee.number.load(ordering: .sequentiallyConsistent) > 0 else { return }
    sleepers.pointee.bell.wrappingAdd(1, ordering: .sequentiallyConsistent)
    csc_futex_wake(Self.bell(of: sleepers), Int32.max)
  }

  /// The condition reads sequentially consistent: a read that went before the bell's store would miss the
  /// worker that looked at the bell just before it.
  private func waitAsCaller(until condition: () -> Bool) {
    if Self.spin(until: condition) { return }
    while true {
      caller.pointee.bell.store(1, ordering: .sequentiallyConsistent)
      if condition() { break }
      csc_futex_wait(Self.bell(of: caller), 1)
    }
    caller.pointee.bell.store(0, ordering: .relaxed)
  }

  /// Takes part in region after region until the end.
  func work(as index: Int) {
    var last = 0
    while true {
      waitForRegion(after: last)
      let found = gate.pointee.number.wrappingAdd(1, ordering: .sequentiallyConsistent).oldValue
      if found & Self.openBit != 0 {
        last = found >> Self.regionShift
        if isEnding { return }
        body?(index)
      }
      let left = gate.pointee.number.wrappingSubtract(1, ordering: .sequentiallyConsistent).newValue
      if left & (Self.openBit | Self.insideMask) == 0 { ringForCaller() }
    }
  }

  /// The next chunk of the open region; each number is given out once.
  func takeChunk() -> Int {
    chunks.pointee.number.wrappingAdd(1, ordering: .relaxed).oldValue
  }

  /// Says that one of those who must come has done its part.
  func countDown() {
    let left = caller.pointee.number.wrappingSubtract(1, ordering: .sequentiallyConsistent).newValue
    if left == 0 { ringForCaller() }
  }

  private func ringForCaller() {
    guard caller.pointee.bell.load(ordering: .sequentiallyConsistent) != 0 else { return }
    caller.pointee.bell.store(0, ordering: .sequentiallyConsistent)
    csc_futex_wake(Self.bell(of: caller), 1)
  }

  private func waitForRegion(after last: Int) {
    let isThere = { [gate] in
      let state = gate.pointee.number.load(ordering: .sequentiallyConsistent)
      return state & Self.openBit != 0 && state >> Self.regionShift != last
    }
    if Self.spin(until: isThere) { return }
    sleepers.pointee.number.wrappingAdd(1, ordering: .sequentiallyConsistent)
    while true {
      let bell = sleepers.pointee.bell.load(ordering: .sequentiallyConsistent)
      if isThere() { break }
      csc_futex_wait(Self.bell(of: sleepers), bell)
    }
    sleepers.pointee.number.wrappingSubtract(1, ordering: .sequentiallyConsistent)
  }

  /// - Returns: whether the condition came true before it was time to sleep.
  private static func spin(until condition: () -> Bool) -> Bool {
    var deadline = 0
    while true {
      for _ in 0..<64 {
        if condition() { return true }
        ck_pause()
      }
      var time = timespec()
      clock_gettime(CLOCK_MONOTONIC, &time)
      let now = time.tv_sec * 1_000_000_000 + time.tv_nsec
      if deadline == 0 { deadline = now + spinNanoseconds } else if now > deadline { return false }
    }
  }

  private static func bell(of word: UnsafeMutablePointer<Padded>) -> UnsafeRawPointer {
    UnsafeRawPointer(word) + MemoryLayout<Int>.size
  }
}
