import FoundationEssentials
import Glibc

/// Where downloaded models are: `OWNER/NAME/FILE` below `$XDG_DATA_HOME/hybrimoe/models`.
public struct ModelFolder: Sendable {
  /// The folder of all models.
  public let path: String

  public init(path: String) { self.path = path }

  /// The folder that the environment names, by default `~/.local/share/hybrimoe/models`; nil where it
  /// names no home.
  public init?(environment: [String: String]) {
    // The specification of the base directories says to ignore relative paths.
    if let base = environment["XDG_DATA_HOME"], base.hasPrefix("/") {
      path = base + "/hybrimoe/models"
    } else if let home = environment["HOME"], home.hasPrefix("/") {
      path = home + "/.local/share/hybrimoe/models"
    } else {
      return nil
    }
  }

  /// The folder of a repository's files.
  public func folder(of repository: RepositoryName) -> String { "\(path)/\(repository)" }

  /// The repositories of which something is there, by name.
  public var repositories: [RepositoryName] {
    Self.names(in: path).flatMap { owner in
      Self.names(in: "\(path)/\(owner)").compactMap { RepositoryName("\(owner)/\($0)") }
    }
  }

  /// The whole files of a repository that are there, by path below its folder.
  public func files(of repository: RepositoryName) -> [(path: String, byteCount: Int)] {
    Self.files(in: folder(of: repository)).filter { !$0.path.hasSuffix(".part") }
  }

  /// Files of which only a part is there.
  public func unfinishedFiles(
    of repository: RepositoryName
  ) -> [(path: String, byteCount: Int)] {
    Self.files(in: folder(of: repository)).filter { $0.path.hasSuffix(".part") }
  }

  /// The bytes that are there of a file already, whole or in part.
  static func present(_ file: RemoteFile, in folder: String) -> Int {
    if byteCount(of: "\(folder)/\(file.path)") == file.byteCount { return file.byteCount }
    return min(file.byteCount, byteCount(of: partPath(of: file, in: folder)) ?? 0)
  }

  /// Refuses files for which there is too little room.
  ///
  /// - Throws: `DownloadError.noRoom`.
  public static func requireRoom(
    for files: [RemoteFile], in folder: String
  ) throws(DownloadError) {
    let needed = files.reduce(0) { $0 + $1.byteCount - present($1, in: folder) }
    guard needed > 0, let free = freeByteCount(in: folder), free < needed + spareByteCount else {
      return
    }
    throw .noRoom(folder: folder, needed: needed + spareByteCount, free: free)
  }

  /// What is left to others of a disk, in bytes: a full disk stops more than downloads.
  static let spareByteCount = 64 << 20

  /// Free bytes where a folder is or would be; nil where the system does not tell.
  static func freeByteCount(in folder: String) -> Int? {
    var folder = folder
    while access(folder, F_OK) != 0, let slash = folder.lastIndex(of: "/"),
      slash > folder.startIndex
    {
      folder = String(folder[..<slash])
    }
    var status = statvfs()
    guard statvfs(folder, &status) == 0 else { return nil }
    return Int(
      clamping: UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
        .partialValue)
  }

  /// The unfinished form of a file. Its name holds the start of the checksum, so that what is there of
  /// another version is never continued.
  static func partPath(of file: RemoteFile, in folder: String) -> String {
    "\(folder)/\(file.path).\(file.sha256.prefix(12)).part"
  }

  /// Takes away what is left unfinished of other versions of a file.
  static func removeParts(of file: RemoteFile, in folder: String) {
    let path = "\(folder)/\(file.path)"
    guard let slash = path.lastIndex(of: "/") else { return }
    let place = String(path[..<slash])
    let start = path[path.index(after: slash)...] + "."
    for name in names(in: place) where name.hasPrefix(start) && name.hasSuffix(".part") {
      unlink("\(place)/\(name)")
    }
  }

  static func byteCount(of path: String) -> Int? {
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    return Int(status.st_size)
  }

  /// Makes the folders that a file is to lie in.
  static func makeFolders(above path: String) throws(DownloadError) {
    var folder = path.hasPrefix("/") ? "" : "."
    for name in path.split(separator: "/").dropLast() {
      folder += "/\(name)"
      guard mkdir(folder, 0o755) != 0, errno != EEXIST else { continue }
      // A folder above one's own may be there and not to be written to.
      let failure = PartFile.failure("make the folder", folder)
      guard access(folder, F_OK) == 0 else { throw failure }
    }
  }

  private static func names(in folder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
  }

  /// The files in a folder and its folders, three deep at most.
  public static func files(
    in folder: String, depth: Int = 3
  ) -> [(path: String, byteCount: Int)] {
    names(in: folder).flatMap { name -> [(path: String, byteCount: Int)] in
      if let count = byteCount(of: "\(folder)/\(name)") { return [(name, count)] }
      guard depth > 1 else { return [] }
      return files(in: "\(folder)/\(name)", depth: depth - 1).map {
        ("\(name)/\($0.path)", $0.byteCount)
      }
    }
  }
}

/// A file that is read from the start.
final class PresentFile {
  private let path: String
  private let descriptor: Int32

  init(path: String) throws(DownloadError) {
    self.path = path
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw PartFile.failure("read", path) }
  }

  deinit { close(descriptor) }

  /// The next bytes; nil at the end.
  func next() throws(DownloadError) -> [UInt8]? {
    var reason: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: 1 << 20) { buffer, count in
      var result = -1
      repeat {
        result = read(descriptor, buffer.baseAddress, buffer.count)
      } while result < 0 && errno == EINTR
      if result < 0 { reason = errno }
      count = max(0, result)
    }
    guard reason == 0 else {
      throw .file(path: path, action: "read", reason: String(cString: strerror(reason)))
    }
    return bytes.isEmpty ? nil : bytes
  }
}
