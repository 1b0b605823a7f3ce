import CSystemCalls
import Glibc

/// The processors that a thread may run on.
public enum Affinity {
  /// Those of the calling thread; nil where the system does not say.
  public static func ofThisThread() -> [Int]? {
    SystemFiles.live.field("Cpus_allowed_list:", in: "/proc/thread-self/status")
      .flatMap(SystemFiles.numbers)
  }

  /// Lets the calling thread run on some processors only.
  /// - Throws: `HostMemoryError.cannotBindThread` where none of them may be used.
  public static func bindThisThread(to processors: [Int]) throws(HostMemoryError) {
    let numbers = processors.map { Int32(clamping: $0) }
    let code = csc_bind_thread(numbers, numbers.count)
    guard code == 0 else {
      throw .cannotBindThread(processors: processors, reason: MappedFile.reason(code))
    }
  }
}
