import Checksums
import FoundationEssentials
import NIOCore

/// Downloads files of a repository into a folder.
public struct Download: Sendable {
  /// Times that what is there may be of no use, before it is taken for a server that never stops.
  static let maximumRestarts = 3

  let hub: Hub
  let repository: RepositoryName
  let folder: String
  let tell: @Sendable (DownloadEvent) -> Void

  /// - Parameters:
  ///   - folder: where the repository's files go; made where it is not there.
  ///   - tell: is told what happens, from any thread, many times a second.
  public init(
    from hub: Hub, repository: RepositoryName, into folder: String,
    tell: @escaping @Sendable (DownloadEvent) -> Void = { _ in }
  ) {
    self.hub = hub
    self.repository = repository
    self.folder = folder
    self.tell = tell
  }

  /// Brings a file here, going on from what is there, and checks it.
  ///
  /// It appears under its name only when it is whole and its checksum is right; until then it is
  /// `NAME.CHECKSUM.part` beside it, which is kept when this throws, unless its content is wrong.
  /// - Returns: the file's path.
  /// - Throws: `DownloadError`, `CancellationError`.
  public func fetch(_ file: RemoteFile) async throws -> String {
    let path = "\(folder)/\(file.path)"
    try ModelFolder.makeFolders(above: path)
    let part = try PartFile(path: ModelFolder.partPath(of: file, in: folder))
    if try await isThere(file, path: path) {
      part.remove()
      tell(.finished(file, path: path, wasThere: true))
      return path
    }
    if part.byteCount > file.byteCount { try part.empty() }
    tell(.began(file, present: part.byteCount))
    var reception = Reception(part: part)
    var checkedByteCount = 0
    try part.read { bytes in
      try Task.checkCancellation()
      reception.digest.update(bytes)
      checkedByteCount += bytes.count
      tell(.checking(checkedByteCount, of: part.byteCount))
    }
    try await receiveAll(of: file, &reception)
    let found = reception.digest.hexadecimal
    guard found == file.sha256 else {
      part.remove()
      throw DownloadError.wrongChecksum(file: file.path, expected: file.sha256, found: found)
    }
    try part.finish(as: path)
    ModelFolder.removeParts(of: file, in: folder)
    tell(.finished(file, path: path, wasThere: false))
    return path
  }

  /// Whether the file is there already, with the right content.
  private func isThere(_ file: RemoteFile, path: String) async throws -> Bool {
    guard ModelFolder.byteCount(of: path) == file.byteCount else { return false }
    let present = try PresentFile(path: path)
    var digest = SHA256()
    var count = 0
    while let bytes = try present.next() {
      try Task.checkCancellation()
      digest.update(bytes)
      count += bytes.count
      tell(.checking(count, of: file.byteCount))
    }
    return digest.hexadecimal == file.sha256
  }

  private func receiveAll(of file: RemoteFile, _ reception: inout Reception) async throws {
    var failures = 0
    while reception.part.byteCount < file.byteCount {
      try Task.checkCancellation()
      let before = reception.part.byteCount
      let interruption: Interruption
      do {
        try await receive(file, &reception)
        guard reception.part.byteCount < file.byteCount else { return }
        interruption = Interruption(reason: "the server ended early")
      } catch let error as Interruption {
        interruption = error
      }
      failures = reception.part.byteCount > before ? 0 : failures + 1
      try await hub.patience.wait(
        after: interruption, failures: failures, of: hub.patience.fruitlessAttempts,
        what: file.path, tell: tell)
    }
  }

  /// One attempt: the rest of the file, as far as it comes.
  private func receive(_ file: RemoteFile, _ reception: inout Reception) async throws {
    let offset = reception.part.byteCount
    var headers: [(String, String)] = []
    if offset > 0 {
      headers.append(("Range", "bytes=\(offset)-"))
      if let tag = reception.entityTag { headers.append(("If-Range", tag)) }
    }
    let answer = try await hub.client.get(
      hub.contentAddress(file.path, of: repository), headers: headers, what: "\(repository)")
    var skip = try position(of: answer, file, offset: offset)
    // A weak tag says nothing about bytes.
    if let tag = answer.header("etag"), !tag.hasPrefix("W/"), tag != reception.entityTag {
      // The first one is remembered; another one is another content.
      if reception.entityTag != nil {
        try restart(file, &reception)
        reception.entityTag = tag
        guard answer.status == 200 else { return }
        skip = 0
      }
      reception.entityTag = tag
    }
    try await hub.client.attempt {
      for try await chunk in answer.body {
        try Task.checkCancellation()
        try chunk.withUnsafeReadableBytes { bytes in
          let new = bytes.dropFirst(skip)
          skip -= bytes.count - new.count
          try reception.take(UnsafeRawBufferPointer(rebasing: new), of: file)
        }
        tell(.received(reception.part.byteCount))
      }
    }
  }

  /// How many bytes at the start of an answer are there already.
  private func position(
    of answer: WebAnswer, _ file: RemoteFile, offset: Int
  ) throws -> Int {
    switch answer.status {
    case 416:
      throw DownloadError.wrongLength(
        file: file.path, expected: file.byteCount,
        found: answer.header("content-range").flatMap(ContentRange.init)?.total ?? offset)
    case 206:
      guard let range = answer.header("content-range").flatMap(ContentRange.init),
        range.first <= offset
      else {
        throw DownloadError.strangeAnswer(
          what: file.path, detail: "another part of the file than was asked for")
      }
      if let total = range.total, total != file.byteCount {
        throw DownloadError.wrongLength(
          file: file.path, expected: file.byteCount, found: total)
      }
      return offset - range.first
    default:
      // The server sends all of it, whatever was asked for: what is there is skipped.
      if let length = answer.header("content-length").flatMap({ Int($0) }),
        length != file.byteCount
      {
        throw DownloadError.wrongLength(
          file: file.path, expected: file.byteCount, found: length)
      }
      return offset
    }
  }

  private func restart(_ file: RemoteFile, _ reception: inout Reception) throws {
    reception.restarts += 1
    guard reception.restarts <= Self.maximumRestarts else {
      throw DownloadError.keepsChanging(file: file.path)
    }
    tell(.restarted(reason: "the server has another content now"))
    try reception.part.empty()
    reception.digest = SHA256()
  }
}

/// What of a file has come.
private struct Reception {
  let part: PartFile
  /// Of all bytes of the part.
  var digest = SHA256()
  /// Names the content that the server sends.
  var entityTag: String?
  var restarts = 0

  init(part: PartFile) { self.part = part }

  mutating func take(_ bytes: UnsafeRawBufferPointer, of file: RemoteFile) throws {
    guard part.byteCount + bytes.count <= file.byteCount else {
      let found = part.byteCount + bytes.count
      part.remove()
      throw DownloadError.wrongLength(file: file.path, expected: file.byteCount, found: found)
    }
    try part.append(bytes)
    digest.update(bytes)
  }
}

/// `Content-Range: bytes 100-199/1000`.
struct ContentRange: Equatable {
  var first: Int
  /// Of the whole file; nil where the server does not say.
  var total: Int?

  init?(_ text: String) {
    guard let match = text.wholeMatch(of: /bytes (?:(\d{1,18})-\d{1,18}|\*)\/(\d{1,18}|\*)/) else {
      return nil
    }
    first = match.1.flatMap { Int($0) } ?? 0
    total = Int(match.2)
  }
}
