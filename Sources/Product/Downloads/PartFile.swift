import Glibc

/// A file that grows while it is downloaded, and gets its real name when it is whole.
///
/// Its lock keeps a second process from writing to it; the system takes the lock away when the process
/// ends, however it ends.
final class PartFile {
  let path: String
  private let descriptor: Int32
  private(set) var byteCount: Int

  /// Opens or creates the file.
  ///
  /// - Throws: `DownloadError.busyElsewhere` where another process has it, `DownloadError.file`.
  init(path: String) throws(DownloadError) {
    // The process that had the lock may have renamed its file just before: then the one that was opened
    // is no longer the one of this name.
    var opened: (descriptor: Int32, byteCount: Int)?
    for _ in 0..<8 where opened == nil {
      let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
      guard descriptor >= 0 else { throw Self.failure("write", path) }
      guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
        let isBusy = errno == EWOULDBLOCK
        let failure = Self.failure("lock", path)
        close(descriptor)
        throw isBusy ? .busyElsewhere(path: path) : failure
      }
      var mine = stat()
      var named = stat()
      guard fstat(descriptor, &mine) == 0, stat(path, &named) == 0, mine.st_ino == named.st_ino,
        mine.st_dev == named.st_dev
      else {
        close(descriptor)
        continue
      }
      opened = (descriptor, Int(mine.st_size))
    }
    guard let opened else { throw .busyElsewhere(path: path) }
    self.path = path
    descriptor = opened.descriptor
    byteCount = opened.byteCount
  }

  deinit { close(descriptor) }

  /// Adds bytes at the end.
  func append(_ bytes: UnsafeRawBufferPointer) throws(DownloadError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let written = pwrite(
        descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count,
        off_t(byteCount))
      if written > 0 {
        byteCount += written
        rest = rest.dropFirst(written)
      } else if errno != EINTR {
        throw Self.failure("write", path)
      }
    }
  }

  /// Throws away what is there.
  func empty() throws(DownloadError) {
    guard ftruncate(descriptor, 0) == 0 else { throw Self.failure("empty", path) }
    byteCount = 0
  }

  /// Reads what is there, from the start, in pieces.
  func read(_ take: (UnsafeRawBufferPointer) throws -> Void) throws {
    var position = 0
    try withUnsafeTemporaryAllocation(byteCount: 1 << 20, alignment: 16) { buffer in
      while position < byteCount {
        let count = pread(
          descriptor, buffer.baseAddress, min(buffer.count, byteCount - position), off_t(position))
        if count > 0 {
          try take(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
          position += count
        } else if count == 0 {
          byteCount = position
        } else if errno != EINTR {
          throw Self.failure("read", path)
        }
      }
    }
  }

  /// Takes the file away.
  func remove() { unlink(path) }

  /// Brings the file onto the disk and gives it its real name, in place of what has it.
  func finish(as name: String) throws(DownloadError) {
    guard fsync(descriptor) == 0 else { throw Self.failure("write", path) }
    guard rename(path, name) == 0 else { throw Self.failure("rename", path) }
    // The new name is in the folder's own data.
    let folder = open(Self.folder(of: name), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { return }
    fsync(folder)
    close(folder)
  }

  private static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  static func failure(_ action: String, _ path: String) -> DownloadError {
    .file(path: path, action: action, reason: String(cString: strerror(errno)))
  }
}
