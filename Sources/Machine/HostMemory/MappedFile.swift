import Glibc

/// A file's bytes, mapped read-only for as long as this object lives.
///
/// Weights are used where they lie: pages come from the page cache as they are touched, are shared
/// with other processes and can be given back by the system at any time.
public final class MappedFile: Sendable {
  public let path: String
  public let byteCount: Int
  /// When the file was last written, in nanoseconds since 1970.
  public let modificationNanoseconds: Int
  /// Safety: the mapping is read-only and lives as long as this object.
  nonisolated(unsafe) private let base: UnsafeRawPointer?

  /// Maps a regular file.
  /// - Throws: `HostMemoryError.cannotOpen`, `.notARegularFile`, `.cannotMap`.
  public init(path: String) throws(HostMemoryError) {
    self.path = path
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw .cannotOpen(path: path, reason: MappedFile.reason(errno))
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw .cannotOpen(path: path, reason: MappedFile.reason(errno))
    }
    if let kind = MappedFile.otherKind(status.st_mode) {
      throw .notARegularFile(path: path, kind: kind)
    }
    byteCount = Int(status.st_size)
    modificationNanoseconds = status.st_mtim.tv_sec &* 1_000_000_000 &+ status.st_mtim.tv_nsec
    guard byteCount > 0 else {
      base = nil
      return
    }
    guard let address = mmap(nil, byteCount, PROT_READ, MAP_SHARED, descriptor, 0),
      address != MAP_FAILED
    else {
      throw .cannotMap(path: path, byteCount: byteCount, reason: MappedFile.reason(errno))
    }
    base = UnsafeRawPointer(address)
  }

  deinit {
    if let base { munmap(UnsafeMutableRawPointer(mutating: base), byteCount) }
  }

  /// The bytes; valid while this object lives.
  public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: byteCount) }

  static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }

  private static func otherKind(_ mode: mode_t) -> String? {
    switch mode & S_IFMT {
    case S_IFREG: nil
    case S_IFDIR: "directory"
    case S_IFIFO: "pipe"
    case S_IFSOCK: "socket"
    default: "device"
    }
  }
}
