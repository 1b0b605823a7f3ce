import EmulatedDevice
import Synchronization

/// What a device was given to do, in the order of submission, with what the host waited for.
final class OperationLog: Sendable {
  private let list = Mutex<[EmulatedOperation]>([])

  var operations: [EmulatedOperation] { list.withLock { $0 } }

  func count(_ stream: String, _ kind: EmulatedOperation.Kind) -> Int {
    operations.count { $0.stream == stream && $0.kind == kind }
  }

  func clear() { list.withLock { $0.removeAll() } }

  /// For a device that leaves nothing out.
  @Sendable func note(_ operation: EmulatedOperation) -> Bool {
    list.withLock { $0.append(operation) }
    return false
  }
}
