import FoundationEssentials
import Synchronization
import TestSupport
import Testing

@testable import Downloads

/// A folder that is gone when its last user is.
final class ScratchFolder: Sendable {
  let path = FileManager.default.temporaryDirectory.path + "/downloads-\(UUID().uuidString)"

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func bytes(_ name: String) -> [UInt8]? {
    FileManager.default.contents(atPath: "\(path)/\(name)").map { [UInt8]($0) }
  }

  func write(_ name: String, _ bytes: [UInt8]) throws {
    let folder = URL(filePath: "\(path)/\(name)").deletingLastPathComponent().path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try Data(bytes).write(to: URL(filePath: "\(path)/\(name)"))
  }

  var names: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
  }
}

/// What happened, in order.
final class EventList: Sendable {
  private let list = Mutex<[DownloadEvent]>([])
  func add(_ event: DownloadEvent) { list.withLock { $0.append(event) } }
  var all: [DownloadEvent] { list.withLock { $0 } }
  var waits: [Double] {
    all.compactMap { if case .interrupted(_, let seconds) = $0 { seconds } else { nil } }
  }
  var restarts: Int { all.count { if case .restarted = $0 { true } else { false } } }
}

/// One download from a server that answers as a test says.
struct Attempt {
  static let repository = "maker/Model-GGUF"
  let content: [UInt8]
  let folder = ScratchFolder()
  let events = EventList()

  init(_ byteCount: Int = 300_000) { content = LocalHub.content(byteCount) }

  var hub: LocalHub { LocalHub(Self.repository, [LocalHub.File("m.gguf", content)]) }
  var file: RemoteFile {
    RemoteFile(path: "m.gguf", byteCount: content.count, sha256: plainSHA256(content))
  }

  /// Runs with a clock that never waits.
  func run(
    _ server: LocalServer, file: RemoteFile? = nil, token: String? = nil, idleSeconds: Double = 5
  ) async throws {
    try await server.serving {
      var options = HubOptions()
      options.address = server.address
      options.token = token
      options.idleSeconds = idleSeconds
      options.patience.sleep = { _ in }
      let hub = try Hub(options)
      let repository = try #require(RepositoryName(Self.repository))
      let download = Download(
        from: hub, repository: repository, into: folder.path, tell: events.add)
      let result: Result<String, any Error>
      do {
        result = .success(try await download.fetch(file ?? self.file))
      } catch {
        result = .failure(error)
      }
      await hub.shutDown()
      #expect(try result.get() == folder.path + "/m.gguf")
    }
  }

  /// The error that a run ends with.
  func failure(
    _ server: LocalServer, file: RemoteFile? = nil, idleSeconds: Double = 5
  ) async -> DownloadError? {
    do {
      try await run(server, file: file, idleSeconds: idleSeconds)
      return nil
    } catch {
      return error as? DownloadError
    }
  }
}

@Suite struct DownloadTests {
  @Test func `ten broken connections at various places lose nothing`() async throws {
    let attempt = Attempt()
    let hub = attempt.hub
    // After the head, in the first byte, at a page's edge, in the last byte, …
    let places = [0, 1, 4096, 65_535, 65_536, 100, 99_999, 7, 1, 20_000]
    let server = LocalServer { request, index in
      var answer = hub.answer(request)
      if index < places.count { answer.breaksAfter = places[index] }
      return answer
    }
    try await attempt.run(server)
    #expect(attempt.folder.bytes("m.gguf") == attempt.content)
    #expect(attempt.folder.names == ["m.gguf"])
    #expect(server.requests.count == 11)
    // Each attempt asks for what is missing, and only for that. The last bytes before a break may be
    // lost on the way.
    let starts = server.requests.map { $0.rangeStart ?? 0 }
    for (index, place) in places.enumerated() where index + 1 < starts.count {
      let gain = starts[index + 1] - starts[index]
      #expect(gain <= place && (gain > 0 || place == 0), "\(starts)")
    }
    #expect(attempt.events.waits.count == 10)
  }

  @Test func `a wrong checksum throws the file away`() async throws {
    let attempt = Attempt(5000)
    let hub = attempt.hub
    let server = LocalServer { request, _ in
      var answer = hub.answer(request)
      answer.body[1234] ^= 1
      return answer
    }
    let failure = await attempt.failure(server)
    guard case .wrongChecksum(let file, let expected, let found) = failure else {
      Issue.record("\(String(describing: failure))")
      return
    }
    #expect(file == "m.gguf" && expected == attempt.file.sha256 && found != expected)
    #expect(attempt.folder.names.isEmpty)
  }

  @Test func `a server that stalls is left and asked again`() async throws {
    let attempt = Attempt(50_000)
    let hub = attempt.hub
    let server = LocalServer { request, index in
      var answer = hub.answer(request)
      if index < 2 {
        answer.breaksAfter = 10_000
        answer.stalls = true
      }
      return answer
    }
    try await attempt.run(server, idleSeconds: 0.05)
    #expect(attempt.folder.bytes("m.gguf") == attempt.content)
    #expect(attempt.events.waits.count == 2)
  }

  @Test func `a download goes on after the program has ended`() async throws {
    let attempt = Attempt()
    let hub = attempt.hub
    let broken = LocalServer { request, _ in
      var answer = hub.answer(request)
      answer.breaksAfter = 0
      if request.rangeStart == nil { answer.breaksAfter = 123_456 }
      return answer
    }
    let failure = await attempt.failure(broken)
    guard case .gaveUp = failure else {
      Issue.record("\(String(describing: failure))")
      return
    }
    let part = try #require(attempt.folder.names.first)
    #expect(part == "m.gguf.\(attempt.file.sha256.prefix(12)).part")
    let present = try #require(attempt.folder.bytes(part))
    #expect(!present.isEmpty && attempt.content.starts(with: present))
    let whole = LocalServer { request, _ in hub.answer(request) }
    try await attempt.run(whole)
    #expect(whole.requests.map(\.rangeStart) == [present.count])
    #expect(attempt.folder.bytes("m.gguf") == attempt.content)
    #expect(attempt.folder.names == ["m.gguf"])
  }

  @Test func `a server that ignores ranges sends what is there again, and nothing is lost`()
    async throws
  {
    let attempt = Attempt(100_000)
    let content = attempt.content
    let server = LocalServer { _, index in
      LocalServer.Answer(body: content, breaksAfter: index < 3 ? 20_000 * (index + 1) : nil)
    }
    try await attempt.run(server)
    #expect(attempt.folder.bytes("m.gguf") == content)
    let starts = server.requests.map { $0.rangeStart ?? 0 }
    #expect(starts.count == 4 && starts[1] > 0)
    #expect(zip(starts, starts.dropFirst()).allSatisfy { $0 <= $1 }, "\(starts)")
  }

  @Test func `a part from another place than asked for is put where it belongs, or refused`()
    async throws
  {
    let attempt = Attempt(100_000)
    let content = attempt.content
    func server(_ shift: Int) -> LocalServer {
      LocalServer { request, _ in
        guard let start = request.rangeStart else {
          return LocalServer.Answer(body: content, breaksAfter: 50_000)
        }
        let first = start + shift
        return LocalServer.Answer(
          status: 206,
          headers: [("Content-Range", "bytes \(first)-\(content.count - 1)/\(content.count)")],
          body: Array(content[first...]))
      }
    }
    let failure = await attempt.failure(server(1))
    guard case .strangeAnswer = failure else {
      Issue.record("\(String(describing: failure))")
      return
    }
    try await attempt.run(server(-1000))
    #expect(attempt.folder.bytes("m.gguf") == content)
  }

  @Test func `a content that changes midway is loaded from the start`() async throws {
    let attempt = Attempt(100_000)
    let old = LocalHub.content(100_000, seed: 9)
    let new = attempt.content
    for ignoresCondition in [false, true] {
      let server = LocalServer { request, index in
        var request = request
        if index == 0 {
          var answer = LocalHub.answer(request, content: old, entityTag: "\"old\"")
          answer.breaksAfter = 60_000
          return answer
        }
        if ignoresCondition { request.headers["if-range"] = nil }
        return LocalHub.answer(request, content: new, entityTag: "\"new\"")
      }
      let attempt = Attempt(100_000)
      try await attempt.run(server)
      #expect(attempt.folder.bytes("m.gguf") == new)
      #expect(attempt.events.restarts == 1)
      #expect(server.requests[1].headers["if-range"] == "\"old\"")
      #expect(server.requests.count == (ignoresCondition ? 3 : 2))
    }
  }

  @Test func `a content that changes all the time is given up`() async {
    let attempt = Attempt(10_000)
    let hub = attempt.hub
    let server = LocalServer { request, index in
      var answer = hub.answer(request)
      answer.headers = [("ETag", "\"\(index)\"")]
      answer.status = 200
      answer.body = attempt.content
      answer.breaksAfter = 5000
      return answer
    }
    #expect(await attempt.failure(server) == .keepsChanging(file: "m.gguf"))
  }

  @Test func `lengths that are not the list's are refused`() async {
    let attempt = Attempt(10_000)
    let content = attempt.content
    func length(_ answer: LocalServer.Answer) async -> DownloadError? {
      await attempt.failure(LocalServer { _, _ in answer })
    }
    let longer = LocalServer.Answer(body: content + [1])
    #expect(
      await length(longer) == .wrongLength(file: "m.gguf", expected: 10_000, found: 10_001))
    let shorter = LocalServer.Answer(body: content.dropLast())
    #expect(
      await length(shorter) == .wrongLength(file: "m.gguf", expected: 10_000, found: 9999))
    // Without a length in the head it shows only as it comes.
    let untold = LocalServer.Answer(body: content + [1, 2], toldLength: -1)
    guard case .wrongLength = await length(untold) else {
      Issue.record("too long, but not refused")
      return
    }
    #expect(attempt.folder.names.filter { $0 == "m.gguf" }.isEmpty)
    let end = LocalServer.Answer(body: content.dropLast(), toldLength: -1)
    guard
      case .wrongLength(_, 10_000, 9999) = await attempt.failure(
        LocalServer { request, _ in
          request.rangeStart == nil
            ? end
            : LocalServer.Answer(status: 416, headers: [("Content-Range", "bytes */9999")])
        })
    else {
      Issue.record("too short, but not refused")
      return
    }
  }

  @Test func `the token goes to the hub and to nobody else`() async throws {
    let attempt = Attempt(10_000)
    let content = attempt.content
    let other = LocalServer { request, _ in LocalHub.answer(request, content: content) }
    let address = other.address
    let hub = LocalServer { request, _ in
      if request.path.hasSuffix("/resolve/main/m.gguf") {
        return LocalServer.Answer(status: 307, headers: [("Location", "/again?a=b")])
      }
      return LocalServer.Answer(status: 302, headers: [("Location", address + "/signed?x=1%2F2")])
    }
    try await other.serving { try await attempt.run(hub, token: "secret") }
    #expect(hub.requests.map(\.path) == ["/maker/Model-GGUF/resolve/main/m.gguf", "/again?a=b"])
    #expect(hub.requests.allSatisfy { $0.headers["authorization"] == "Bearer secret" })
    #expect(other.requests.map(\.path) == ["/signed?x=1%2F2"])
    #expect(other.requests.allSatisfy { $0.headers["authorization"] == nil })
    #expect(attempt.folder.bytes("m.gguf") == content)
  }

  @Test func `redirections without an end or a place are refused`() async {
    let attempt = Attempt(100)
    for location in [
      "/again", "", "ftp://a/b", "file:///etc/passwd", "http://127.0.0.1:99999/x", "http://a:0/",
    ] {
      let server = LocalServer { _, _ in
        LocalServer.Answer(status: 302, headers: [("Location", location)])
      }
      guard case .wrongRedirection = await attempt.failure(server) else {
        Issue.record("\(location)")
        continue
      }
    }
  }

  @Test func `a signed address that has run out is asked for anew`() async throws {
    let attempt = Attempt(10_000)
    let content = attempt.content
    let other = LocalServer { request, index in
      index == 1
        ? LocalServer.Answer(status: 403)
        : LocalHub.answer(request, content: content).breaking(after: index == 0 ? 4000 : nil)
    }
    let address = other.address
    let hub = LocalServer { _, index in
      LocalServer.Answer(status: 302, headers: [("Location", "\(address)/\(index)")])
    }
    try await other.serving { try await attempt.run(hub) }
    #expect(other.requests.map(\.path) == ["/0", "/1", "/2"])
    #expect(attempt.folder.bytes("m.gguf") == content)
  }

  @Test func `what is there already is checked and not loaded again`() async throws {
    let attempt = Attempt(10_000)
    let hub = attempt.hub
    try attempt.folder.write("m.gguf", attempt.content)
    let server = LocalServer { request, _ in hub.answer(request) }
    try await attempt.run(server)
    #expect(server.requests.isEmpty && attempt.folder.names == ["m.gguf"])
    // Another content of the same length is replaced.
    try attempt.folder.write("m.gguf", LocalHub.content(10_000, seed: 8))
    let again = LocalServer { request, _ in hub.answer(request) }
    try await attempt.run(again)
    #expect(again.requests.count == 1 && attempt.folder.bytes("m.gguf") == attempt.content)
  }

  @Test func `parts of other versions are taken away when the file is there`() async throws {
    let attempt = Attempt(1000)
    let hub = attempt.hub
    try attempt.folder.write("m.gguf.0123456789ab.part", [1])
    try attempt.folder.write("other.gguf.0123456789ab.part", [1])
    try await attempt.run(LocalServer { request, _ in hub.answer(request) })
    #expect(attempt.folder.names == ["m.gguf", "other.gguf.0123456789ab.part"])
  }

  @Test func `a part that is too long is loaded from the start`() async throws {
    let attempt = Attempt(1000)
    let hub = attempt.hub
    let name = "m.gguf.\(attempt.file.sha256.prefix(12)).part"
    try attempt.folder.write(name, attempt.content + [1])
    try await attempt.run(LocalServer { request, _ in hub.answer(request) })
    #expect(attempt.folder.bytes("m.gguf") == attempt.content)
  }

  @Test func `an empty file needs no request`() async throws {
    let attempt = Attempt(0)
    let server = LocalServer { _, _ in LocalServer.Answer(status: 500) }
    try await attempt.run(server)
    #expect(attempt.folder.bytes("m.gguf")?.isEmpty == true && server.requests.isEmpty)
  }

  @Test func `two downloads of one file are refused`() async throws {
    let attempt = Attempt(1000)
    let hub = attempt.hub
    let path = ModelFolder.partPath(of: attempt.file, in: attempt.folder.path)
    try attempt.folder.write("x", [])
    do {
      let part = try PartFile(path: path)
      let failure = await attempt.failure(LocalServer { request, _ in hub.answer(request) })
      #expect(failure == .busyElsewhere(path: path))
      _ = part
    }
    try await attempt.run(LocalServer { request, _ in hub.answer(request) })
    #expect(attempt.folder.bytes("m.gguf") == attempt.content)
  }

  @Test func `what cannot be written is said with the reason`() async throws {
    let attempt = Attempt(1000)
    let hub = attempt.hub
    // A folder stands where the part would be.
    let name = "m.gguf.\(attempt.file.sha256.prefix(12)).part"
    try attempt.folder.write(name + "/x", [])
    let failure = await attempt.failure(LocalServer { request, _ in hub.answer(request) })
    guard case .file(_, "write", let reason) = failure else {
      Issue.record("\(String(describing: failure))")
      return
    }
    #expect(reason.contains("directory"))
  }

  @Test func `a cancelled download keeps what is there`() async throws {
    let attempt = Attempt(100_000)
    let hub = attempt.hub
    let server = LocalServer { request, _ in
      var answer = hub.answer(request)
      answer.breaksAfter = 70_000
      answer.stalls = true
      return answer
    }
    let task = Task { try await attempt.run(server, idleSeconds: 600) }
    while !attempt.events.all.contains(.received(70_000)) { await Task.yield() }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    let part = try #require(attempt.folder.names.first)
    #expect(attempt.folder.bytes(part) == Array(attempt.content[..<70_000]))
  }

  @Test func `files that do not fit the disk are refused, counting what is there`() throws {
    let folder = ScratchFolder()
    try folder.write("m.gguf.000000000000.part", [1, 2, 3])
    let sum = String(repeating: "0", count: 64)
    let free = try #require(ModelFolder.freeByteCount(in: folder.path))
    let huge = RemoteFile(path: "m.gguf", byteCount: free * 2, sha256: sum)
    let error = #expect(throws: DownloadError.self) {
      try ModelFolder.requireRoom(for: [huge], in: folder.path)
    }
    guard case .noRoom(_, let needed, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(needed == free * 2 - 3 + ModelFolder.spareByteCount)
    let small = RemoteFile(path: "n.gguf", byteCount: 3, sha256: sum)
    try ModelFolder.requireRoom(for: [small], in: folder.path + "/not/there/yet")
    // What is whole needs nothing.
    try ModelFolder.requireRoom(
      for: [RemoteFile(path: "m.gguf.000000000000.part", byteCount: 3, sha256: sum)],
      in: folder.path)
  }
}
