/// What can go wrong between this process and the system's memory and files.
public enum HostMemoryError: Error, Equatable, CustomStringConvertible {
  /// A file cannot be opened or examined; `reason` is the system's word.
  case cannotOpen(path: String, reason: String)
  /// The path names a directory, a pipe or a device.
  case notARegularFile(path: String, kind: String)
  /// The file is there but the system does not map it.
  case cannotMap(path: String, byteCount: Int, reason: String)
  /// The system gives no more memory.
  case cannotAllocate(byteCount: Int, purpose: String, reason: String)
  /// The system starts no more threads.
  case cannotStartThread(reason: String)
  /// The system does not let a thread run on these processors.
  case cannotBindThread(processors: [Int], reason: String)

  public var description: String {
    switch self {
    case .cannotOpen(let path, let reason):
      "cannot open \(path): \(reason); check the path and that you may read it"
    case .notARegularFile(let path, let kind):
      "\(path) is a \(kind), not a file; name a model file"
    case .cannotMap(let path, let byteCount, let reason):
      "cannot map \(path) (\(byteCount) bytes) into memory: \(reason); "
        + "check the limit on address space (ulimit -v) and the file system"
    case .cannotAllocate(let byteCount, let purpose, let reason):
      "no memory for \(purpose) (\(byteCount) bytes): \(reason); "
        + "end other programs, or try a smaller --context, --kv-type q8_0, fewer --threads or "
        + "--weights native"
    case .cannotStartThread(let reason):
      "cannot start a compute thread: \(reason); try a smaller --threads"
    case .cannotBindThread(let processors, let reason):
      "cannot bind a compute thread to the processors "
        + processors.map { "\($0)" }.joined(separator: ", ") + ": \(reason); try --affinity none"
    }
  }
}
