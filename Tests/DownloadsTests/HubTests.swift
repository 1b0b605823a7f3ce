import FoundationEssentials
import Synchronization
import TestSupport
import Testing

@testable import Downloads

@Suite struct HubTests {
  private let repository = "maker/Model-GGUF"

  /// The list that a server gives, or its error.
  private func list(
    _ server: LocalServer, token: String? = nil, address: String? = nil,
    sleep: @escaping @Sendable (Duration) async throws -> Void = { _ in }
  ) async throws -> [RemoteFile] {
    try await server.serving {
      var options = HubOptions()
      options.address = address ?? server.address
      options.token = token
      options.idleSeconds = 5
      options.patience.sleep = sleep
      let hub = try Hub(options)
      let result: Result<[RemoteFile], any Error>
      do {
        result = .success(try await hub.ggufFiles(of: try #require(RepositoryName(repository))))
      } catch {
        result = .failure(error)
      }
      await hub.shutDown()
      return try result.get()
    }
  }

  private func message(
    token: String? = nil, _ respond: @escaping @Sendable (LocalServer.Request) -> LocalServer.Answer
  ) async -> String {
    do {
      return "\(try await list(LocalServer { request, _ in respond(request) }, token: token))"
    } catch {
      return "\(error)"
    }
  }

  @Test func `the list has the files with their checksums`() async throws {
    let hub = LocalHub(
      repository,
      [LocalHub.File("Q8_0/a b.gguf", [1, 2, 3]), LocalHub.File("mmproj.gguf", [])])
    let files = try await list(LocalServer { request, _ in hub.answer(request) })
    #expect(
      files == [
        RemoteFile(path: "Q8_0/a b.gguf", byteCount: 3, sha256: plainSHA256([1, 2, 3])),
        RemoteFile(path: "mmproj.gguf", byteCount: 0, sha256: plainSHA256([])),
      ])
  }

  @Test func `a list on several pages is read to its end`() async throws {
    let pages = (0..<3).map {
      LocalHub(repository, [LocalHub.File("\($0).gguf", [UInt8($0)])]).list
    }
    let server = LocalServer { request, index in
      var answer = LocalServer.Answer(body: Array(pages[min(index, 2)].utf8))
      if index < 2 { answer.headers = [("Link", "</page\(index + 1)>; rel=\"next\"")] }
      return answer
    }
    #expect(try await list(server).map(\.path) == ["0.gguf", "1.gguf", "2.gguf"])
    #expect(server.requests.map(\.path).dropFirst() == ["/page1", "/page2"])
  }

  @Test func `a list without an end is refused, and one that goes on elsewhere`() async {
    let page = LocalHub(repository, []).list
    let endless = await message { _ in
      LocalServer.Answer(headers: [("Link", "</more>; rel=\"next\"")], body: Array(page.utf8))
    }
    #expect(endless.contains("without an end"))
    let elsewhere = await message { _ in
      LocalServer.Answer(
        headers: [("Link", "<http://localhost:1/more>; rel=\"next\"")], body: Array(page.utf8))
    }
    #expect(elsewhere.contains("elsewhere"))
  }

  static let unsafeNames = [
    "../a.gguf", "/etc/a.gguf", "a/../../b.gguf", "./a.gguf", "a//b.gguf", "a\\\\b.gguf",
    "a\\u0000.gguf", "a\\u001b[2J.gguf", "\\u202eb.gguf",
    String(repeating: "a", count: 250) + ".gguf",
  ]

  @Test(arguments: unsafeNames)
  func `names that lead out of the folder are refused`(name: String) async {
    let text = """
      [{"type":"file","path":"\(name)","size":1,
        "lfs":{"size":1,"oid":"\(String(repeating: "0", count: 64))"}}]
      """
    let message = await message { _ in LocalServer.Answer(body: Array(text.utf8)) }
    #expect(message.contains("outside its folder"), "\(message)")
  }

  @Test func `answers that are no list are refused with a reason`() async {
    let texts = [
      "", "<html>", "{}", "[1]", "[{}]", "[{\"type\":\"file\"}]",
      "[{\"type\":\"file\",\"path\":\"a.gguf\",\"lfs\":{\"oid\":\"xyz\",\"size\":1}}]",
      "[{\"type\":\"file\",\"path\":\"a.gguf\",\"lfs\":{\"oid\":\"\(plainSHA256([]))\",\"size\":-1}}]",
    ]
    for text in texts {
      let message = await message { _ in LocalServer.Answer(body: Array(text.utf8)) }
      #expect(message.contains("cannot be understood"), "\(text): \(message)")
    }
  }

  static let refusals: [(Int, String?, [String])] = [
    (401, nil, ["no such repository, or it is private", "HF_TOKEN", "/settings/tokens"]),
    (401, "secret", ["the token in HF_TOKEN does not open it"]),
    (403, nil, ["Accept the conditions on http://127.0.0.1", "/maker/Model-GGUF"]),
    (404, nil, ["not found", "spelling"]), (418, nil, ["status 418"]),
  ]

  @Test(arguments: refusals)
  func `a refusal says what to do, and is not repeated`(
    status: Int, token: String?, parts: [String]
  ) async {
    let server = LocalServer { _, _ in
      LocalServer.Answer(status: status, headers: [("X-Error-Message", "why not")])
    }
    do {
      _ = try await list(server, token: token)
      Issue.record("no error")
    } catch {
      let message = "\(error)"
      for part in parts { #expect(message.contains(part), "\(message)") }
      #expect(message.contains("(why not)"))
      #expect(server.requests.count == 1)
    }
  }

  @Test func `a busy hub is waited for as long as it asks`() async throws {
    let page = LocalHub(repository, []).list
    let waits = Mutex<[Duration]>([])
    let server = LocalServer { _, index in
      switch index {
      case 0: LocalServer.Answer(status: 429, headers: [("Retry-After", "17")])
      case 1: LocalServer.Answer(status: 503)
      default: LocalServer.Answer(body: Array(page.utf8))
      }
    }
    _ = try await list(server, sleep: { wait in waits.withLock { $0.append(wait) } })
    #expect(waits.withLock { $0 } == [.seconds(17), .seconds(2)])
  }

  @Test func `a hub that asks for an hour is not waited for`() async {
    let message = await message { _ in
      LocalServer.Answer(status: 429, headers: [("Retry-After", "3600")])
    }
    #expect(message.contains("3600 s"))
  }

  @Test func `a hub that stays broken is given up after some attempts`() async {
    let waits = Mutex<[Duration]>([])
    let server = LocalServer { _, _ in LocalServer.Answer(status: 502) }
    do {
      _ = try await list(server, sleep: { wait in waits.withLock { $0.append(wait) } })
      Issue.record("no error")
    } catch {
      #expect("\(error)".contains("4 attempts") && "\(error)".contains("502"))
    }
    #expect(waits.withLock { $0 } == [1, 2, 4].map { Duration.seconds($0) })
    #expect(server.requests.count == 4)
  }

  @Test func `nobody at the address is said, not waited for`() async {
    let server = LocalServer { _, _ in LocalServer.Answer() }
    server.stop()
    do {
      _ = try await list(
        LocalServer { _, _ in LocalServer.Answer() }, address: "http://127.0.0.1:1")
      Issue.record("no error")
    } catch {
      #expect("\(error)".contains("4 attempts"), "\(error)")
    }
  }

  @Test func `addresses that are none are refused`() {
    for text in [
      "", "huggingface.co", "ftp://a", "http://", "https://a/?b", "file:///etc", "http://a:65536",
    ] {
      var options = HubOptions()
      options.address = text
      #expect(throws: DownloadError.wrongAddress(text)) { try Hub(options) }
    }
  }

  @Test func `a token is sent encrypted or within this machine only`() throws {
    for (text, isPrivate) in [
      ("https://a.example", true), ("http://a.example", false), ("http://127.0.0.1:80", true),
      ("http://localhost", true), ("http://localhost.example", false), ("http://[::1]:8", true),
    ] {
      let address = try #require(URL(string: text))
      #expect(Origin(address).isPrivate == isPrivate, "\(text)")
    }
  }
}
