import Glibc

/// Folders of files that this program makes.
public enum Folders {
  /// Makes the folders that a file is to lie in, for this user alone where they are new.
  /// - Throws: `HostMemoryError.cannotOpen` with the system's reason.
  public static func make(above path: String) throws(HostMemoryError) {
    let names = path.split(separator: "/").dropLast()
    var folder = path.hasPrefix("/") ? "" : "."
    for name in names {
      folder += "/" + name
      if mkdir(folder, 0o700) != 0, errno != EEXIST {
        // A folder above one's own may be there and not to be written to.
        let code = errno
        if access(folder, F_OK) != 0 {
          throw .cannotOpen(path: folder, reason: MappedFile.reason(code))
        }
      }
    }
  }

  /// Whether this process could make files in a folder, which need not be there yet.
  public static func canWrite(_ path: String) -> Bool {
    var folder = path
    while access(folder, F_OK) != 0, let slash = folder.lastIndex(of: "/") {
      // What is above decides where it does not exist, and for nothing else.
      guard errno == ENOENT else { return false }
      folder = slash == folder.startIndex ? "/" : String(folder[..<slash])
    }
    var status = stat()
    return stat(folder, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
      && access(folder, W_OK | X_OK) == 0
  }

  /// The path of a file that this process writes and will rename to `path` when it is whole; another one
  /// with each call.
  public static func unfinishedPath(for path: String) -> String {
    "\(path).\(UInt32.random(in: 0...UInt32.max)).\(getpid()).part"
  }

  /// Removes what processes that are no longer there have left unfinished beside `path`.
  public static func removeAbandoned(beside path: String) {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    let folder = parts.dropLast().joined(separator: "/")
    guard let listing = opendir(folder.isEmpty ? "." : folder) else { return }
    defer { closedir(listing) }
    while let entry = readdir(listing) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      let words = name.split(separator: ".")
      guard words.count >= 3, words[words.count - 1] == "part",
        let process = pid_t(words[words.count - 2]), process > 0,
        kill(process, 0) != 0, errno == ESRCH
      else { continue }
      unlink(folder.isEmpty ? name : "\(folder)/\(name)")
    }
  }
}
