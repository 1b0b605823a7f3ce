import CGPUEmulation
import Devices
import HostMemory

/// The streams' work and who does it: background threads, or the host within its calls.
///
/// One lock guards everything; operations themselves run without it.
// Safety: every property is touched under `monitor` only.
final class Emulation: @unchecked Sendable {
  let configuration: EmulatedDevice.Configuration
  let monitor = Monitor()
  var heap: EmulatedHeap
  var pinnedByteCount = 0
  var lanes: [Lane] = []
  var choice: Choice?
  var times: ModelledTimes?
  /// Operations and the host's writes so far.
  var submitted = 0
  var allocations = 0
  var copies = 0
  var launches = 0
  var events = 0
  var streams = 0
  var running = 0
  /// Threads of the host that wait, and those of them for which nothing can go on.
  var waitingHosts = 0
  var stuckHosts = 0
  var hostCounts: [EmulatedOperation.Kind: Int] = [:]
  /// What the pinned words and bytes are for, by address.
  var pinnedPurposes: [UInt64: String] = [:]
  var lost: DeviceError?
  private var isEnding = false
  private var workers: [Worker] = []
  let worksInCalls: Bool
  private let opened = ContinuousClock.now

  /// Microseconds since the device was opened, by the processor's clock.
  var realNow: Double { (ContinuousClock.now - opened) / .microseconds(1) }

  init(_ configuration: EmulatedDevice.Configuration) throws(HostMemoryError) {
    self.configuration = configuration
    heap = EmulatedHeap(checks: configuration.checksMemory)
    choice = configuration.seed.map { Choice(seed: $0) }
    if case .modelled(let model) = configuration.timing { times = ModelledTimes(model) }
    let threadCount = configuration.threadCount ?? (configuration.isOrdered ? 0 : 1)
    worksInCalls = threadCount == 0
    // Modelled time has one order of operations; more threads would only wait.
    for _ in 0..<(times == nil ? threadCount : min(1, threadCount)) {
      workers.append(try Worker { self.work() })
    }
  }

  /// Ends the threads; what has not run does not run.
  func end() {
    monitor.lock()
    isEnding = true
    for lane in lanes { lane.removeAll() }
    monitor.changed()
    monitor.unlock()
    for worker in workers { worker.join() }
    workers = []
  }

  /// The life of a thread.
  private func work() {
    monitor.lock()
    while !isEnding {
      if let lane = nextLane() { run(lane) } else { monitor.wait() }
    }
    monitor.unlock()
  }

  /// The queue of a new stream.
  func makeLane(_ name: String) -> Lane {
    streams += 1
    if let count = configuration.queueCount, lanes.count >= count {
      return lanes[(streams - 1) % count]
    }
    let lane = Lane(name: name)
    lanes.append(lane)
    return lane
  }

  // MARK: - Choosing

  func isReady(_ submission: Lane.Submission) -> Bool {
    switch submission.operation {
    case .waitForEvent(let recording): recording.isDone
    case .waitForWord(let word, let value): Words.has(Words.load(word), reached: value)
    default: true
    }
  }

  /// The stream whose first operation runs next; nil where none can.
  func nextLane() -> Lane? {
    if lost != nil { return nil }
    if let times { return times.nextLane(lanes) }
    var ready: [Int] = []
    var held: [Int] = []
    for (index, lane) in lanes.enumerated() where !lane.isRunning {
      guard let head = lane.head, isReady(head) else { continue }
      if head.heldBack > 0 { held.append(index) } else { ready.append(index) }
    }
    if ready.isEmpty, running == 0, waitingHosts > 0 { ready = held }
    if ready.isEmpty { return nil }
    if let names = configuration.precedence {
      return ready.map { lanes[$0] }.min {
        (names.firstIndex(of: $0.name) ?? .max) < (names.firstIndex(of: $1.name) ?? .max)
      }
    }
    if choice != nil { return lanes[choice!.pick(among: ready)] }
    return ready.map { lanes[$0] }.min { $0.head!.number < $1.head!.number }
  }

  // MARK: - Running

  /// Runs a stream's first operation. The lock is held before and after, not meanwhile.
  func run(_ lane: Lane) {
    let submission = lane.removeHead()
    let seed = choice == nil ? 0 : choice!.next() | 1
    lane.running = submission.operation
    running += 1
    monitor.unlock()
    var reason: String?
    if submission.losesDevice {
      reason = "injected: \(submission.operation.kind.rawValue) of stream \"\(lane.name)\""
    } else {
      if times == nil, submission.extraMicroseconds > 0 { delay(submission.extraMicroseconds) }
      reason = changed(submission, of: lane) ?? perform(submission.operation, seed: seed)
    }
    monitor.lock()
    running -= 1
    lane.running = nil
    if times != nil { times!.ran(submission, of: lane) } else { note(submission.operation) }
    for other in lanes where other !== lane { other.ranAnother() }
    if let reason { lose(reason) }
    monitor.changed()
  }

  /// A recording's time where time is real.
  private func note(_ operation: Operation) {
    guard case .record(let recording) = operation else { return }
    recording.time = realNow
    recording.isDone = true
  }

  /// Nothing runs any more, and every waiter returns.
  func lose(_ reason: String) {
    if lost == nil { lost = .lost(device: configuration.name, reason: reason) }
    for lane in lanes { lane.removeAll() }
    monitor.changed()
  }
}
