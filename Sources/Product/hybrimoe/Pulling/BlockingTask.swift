import Glibc
import Synchronization

/// Runs asynchronous work for a command, which is not asynchronous.
enum BlockingTask {
  /// How often the caller's thread looks at the terminal and at interrupts.
  private static let lookMicroseconds: UInt32 = 50_000

  private final class Outcome<Value: Sendable>: Sendable {
    let result = Mutex<Result<Value, any Error>?>(nil)
  }

  /// The work's result; the calling thread waits for it.
  ///
  /// - Parameter whileWaiting: is called again and again meanwhile; once it returns false, the work is
  ///   cancelled.
  static func run<Value: Sendable>(
    whileWaiting: () -> Bool, _ work: @escaping @Sendable () async throws -> Value
  ) throws -> Value {
    let outcome = Outcome<Value>()
    let task = Task.detached {
      let result: Result<Value, any Error>
      do {
        result = .success(try await work())
      } catch {
        result = .failure(error)
      }
      outcome.result.withLock { $0 = result }
    }
    var isCancelled = false
    while true {
      if let result = outcome.result.withLock({ $0 }) { return try result.get() }
      if !isCancelled, !whileWaiting() {
        isCancelled = true
        task.cancel()
      }
      usleep(lookMicroseconds)
    }
  }
}
