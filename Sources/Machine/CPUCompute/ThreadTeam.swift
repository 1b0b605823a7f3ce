import Glibc
import HostMemory
import Synchronization

/// A fixed team of threads that splits one piece of work after another.
///
/// A token's step has hundreds of short parallel regions, so a fork must cost well under a
/// microsecond: workers spin between regions and sleep where none comes for a while, so that an idle
/// program burns nothing. Swift's own concurrency is not used here: a task group costs tens of
/// microseconds a fork.
///
/// Other programs may take a worker's processor away for milliseconds. Nobody waits for such a worker
/// where that can be helped: work is handed out in chunks, a worker that does not come misses the
/// region, and a region ends when all that came have left it. Waiting threads sleep instead of yielding:
/// by the scheduler's rules one who yields gives away its share of the processor, one who sleeps keeps
/// it and is let in at once when it wakes (measured: `Docs/Decisions/0012`).
///
/// One thread at a time may call `run` and `forEachChunk`; it takes part as thread 0.
// Safety: all that is shared lies in `Gathering`, where atomics order every access.
public final class ThreadTeam: @unchecked Sendable {
  public let threadCount: Int
  private let gathering = Gathering()
  private var threads: [pthread_t] = []
  /// Where the caller's waiting is counted, if anybody asks. Set between regions.
  var profile: StepProfile? {
    get { gathering.profile }
    set { gathering.profile = newValue }
  }
  /// Processors that the creating thread had before it was bound.
  private var earlierProcessors: [Int]?

  /// - Parameters:
  ///   - threadCount: the caller included; at least 1.
  ///   - processors: what each thread may run on, thread 0 first, which is the calling one and gets back
  ///     what it had when the team ends; empty: wherever the system puts them.
  /// - Throws: `HostMemoryError.cannotStartThread`, `.cannotBindThread`.
  public init(threadCount: Int, processors: [[Int]] = []) throws(HostMemoryError) {
    let count = max(1, threadCount)
    precondition(processors.isEmpty || processors.count == count)
    self.threadCount = count
    let earlier = processors.isEmpty ? nil : Affinity.ofThisThread()
    do {
      for index in 1..<count {
        // A thread has the processors of the one that starts it, so that what is refused is told here.
        if !processors.isEmpty { try Affinity.bindThisThread(to: processors[index]) }
        try start(index)
      }
      if let own = processors.first { try Affinity.bindThisThread(to: own) }
    } catch {
      stop()
      if let earlier { try? Affinity.bindThisThread(to: earlier) }
      throw error
    }
    earlierProcessors = earlier
  }

  deinit {
    stop()
    if let earlierProcessors { try? Affinity.bindThisThread(to: earlierProcessors) }
  }

  private func start(_ index: Int) throws(HostMemoryError) {
    var thread = pthread_t()
    let start = Unmanaged.passRetained(WorkerStart(gathering: gathering, index: index))
    let code = pthread_create(
      &thread, nil,
      { raw in
        guard let raw else { return nil }
        let start = Unmanaged<WorkerStart>.fromOpaque(raw).takeRetainedValue()
        start.gathering.work(as: start.index)
        return nil
      }, start.toOpaque())
    guard code == 0 else {
      start.release()
      throw .cannotStartThread(reason: String(cString: strerror(code)))
    }
    threads.append(thread)
  }

  private func stop() {
    gathering.end()
    for thread in threads { pthread_join(thread, nil) }
    threads = []
  }

  /// Runs `body(threadIndex)` once on every thread of the team and returns when all are done, also
  /// those that have to wait for a processor: for measuring; work is better cut into chunks.
  public func run(_ body: (Int) -> Void) {
    guard threadCount > 1 else { return body(0) }
    gathering.region(mustCome: threadCount - 1) { [gathering] thread in
      body(thread)
      if thread > 0 { gathering.countDown() }
    }
  }

  /// Runs `body(threadIndex, chunk)` for the chunks 0 ..< count, each once, on whichever thread is free.
  public func forEachChunk(count: Int, _ body: (Int, Int) -> Void) {
    guard threadCount > 1, count > 1 else {
      for chunk in 0..<count { body(0, chunk) }
      return
    }
    gathering.region(mustCome: 0) { [gathering] thread in
      while true {
        let chunk = gathering.takeChunk()
        if chunk >= count { return }
        body(thread, chunk)
      }
    }
  }
}

private final class WorkerStart {
  let gathering: Gathering
  let index: Int

  init(gathering: Gathering, index: Int) {
    self.gathering = gathering
    self.index = index
  }
}
