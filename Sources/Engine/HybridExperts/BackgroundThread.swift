import Devices
import Glibc
import HostMemory

/// A thread that does work beside the host's, and sleeps while there is none: it keeps the link busy, and
/// pins memory.
///
/// Rejected for the link: issuing from the host's own waits (the link would stand still for as long as the CPU
/// lane works, and that is when its time is worth most), and more pieces in flight (what is issued cannot be
/// taken back when a plan needs the link).
// Safety: the bell guards itself; `work` is called by the one thread; `hasEnded` is touched by `end`, which
// one thread at a time calls.
final class BackgroundThread: @unchecked Sendable {
  /// Does what there is to do; returns what to wait for before there is more, nil where somebody has to
  /// ring.
  typealias Work = () throws -> (any DeviceEvent)?

  private let bell = Bell()
  private let work: Work
  private let onFailure: (any Error) -> Void
  private var thread = pthread_t()
  private var hasEnded = false

  /// - Throws: `HostMemoryError.cannotStartThread`.
  init(
    work: @escaping Work, onFailure: @escaping (any Error) -> Void
  ) throws(HostMemoryError) {
    self.work = work
    self.onFailure = onFailure
    // The thread holds it for as long as it runs: its last owner may let go within `work`.
    let held = Unmanaged.passRetained(self)
    let code = pthread_create(
      &thread, nil,
      { raw in
        guard let raw else { return nil }
        Unmanaged<BackgroundThread>.fromOpaque(raw).takeRetainedValue().run()
        return nil
      }, held.toOpaque())
    guard code == 0 else {
      held.release()
      throw .cannotStartThread(reason: String(cString: strerror(code)))
    }
  }

  /// There may be something to do.
  func ring() { bell.ring() }

  /// Ends the thread when it has done what it is at, and waits for that; called by the thread itself,
  /// which cannot wait for its own end, it returns at once. To be called before the last reference goes.
  func end() {
    guard !hasEnded else { return }
    hasEnded = true
    bell.end()
    if pthread_equal(pthread_self(), thread) != 0 {
      pthread_detach(thread)
    } else {
      pthread_join(thread, nil)
    }
  }

  private func run() {
    do {
      while !bell.isEnded {
        let event = try work()
        // What it worked for may have gone meanwhile, and the device with it.
        if bell.isEnded { break }
        if let event { try event.synchronize() } else { bell.wait() }
      }
    } catch {
      onFailure(error)
    }
  }
}

/// Lets a thread sleep until it is called.
private final class Bell: @unchecked Sendable {
  // Safety: allocated once, freed with the last owner; all else is guarded by the mutex.
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var hasRung = false
  private var hasEnded = false

  init() {
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(condition, nil)
  }

  deinit {
    pthread_mutex_destroy(mutex)
    pthread_cond_destroy(condition)
    mutex.deallocate()
    condition.deallocate()
  }

  var isEnded: Bool {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return hasEnded
  }

  func ring() {
    pthread_mutex_lock(mutex)
    hasRung = true
    pthread_cond_signal(condition)
    pthread_mutex_unlock(mutex)
  }

  func end() {
    pthread_mutex_lock(mutex)
    hasEnded = true
    pthread_cond_signal(condition)
    pthread_mutex_unlock(mutex)
  }

  func wait() {
    pthread_mutex_lock(mutex)
    while !hasRung, !hasEnded { pthread_cond_wait(condition, mutex) }
    hasRung = false
    pthread_mutex_unlock(mutex)
  }
}
