import Glibc
import HostMemory

/// A lock with a condition: who waits is woken whenever something has changed.
///
/// A thread may take the lock again while it has it: the last reference to pinned memory may go with an operation.
// Safety: the system's own lock and condition.
final class Monitor: @unchecked Sendable {
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let condition: UnsafeMutablePointer<pthread_cond_t>

  init() {
    mutex = .allocate(capacity: 1)
    condition = .allocate(capacity: 1)
    var attributes = pthread_mutexattr_t()
    pthread_mutexattr_init(&attributes)
    pthread_mutexattr_settype(&attributes, Int32(PTHREAD_MUTEX_RECURSIVE))
    pthread_mutex_init(mutex, &attributes)
    pthread_mutexattr_destroy(&attributes)
    pthread_cond_init(condition, nil)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  func lock() { pthread_mutex_lock(mutex) }
  func unlock() { pthread_mutex_unlock(mutex) }
  /// Returns after the next change, or earlier; the lock is held before and after.
  func wait() { pthread_cond_wait(condition, mutex) }
  /// The same, for some seconds at most.
  /// - Returns: false where they are over.
  func wait(seconds: Int) -> Bool {
    var until = timespec()
    clock_gettime(CLOCK_REALTIME, &until)
    until.tv_sec += seconds
    return pthread_cond_timedwait(condition, mutex, &until) != ETIMEDOUT
  }
  func changed() { pthread_cond_broadcast(condition) }
}

/// A thread that runs a closure.
struct Worker {
  private var thread = pthread_t()

  /// - Throws: `HostMemoryError.cannotStartThread`.
  init(_ body: @escaping @Sendable () -> Void) throws(HostMemoryError) {
    let start = Unmanaged.passRetained(Body(body))
    let code = pthread_create(
      &thread, nil,
      { raw in
        guard let raw else { return nil }
        Unmanaged<Body>.fromOpaque(raw).takeRetainedValue().body()
        return nil
      }, start.toOpaque())
    guard code == 0 else {
      start.release()
      throw .cannotStartThread(reason: String(cString: strerror(code)))
    }
  }

  func join() { pthread_join(thread, nil) }

  private final class Body {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
}
