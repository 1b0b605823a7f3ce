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
}
