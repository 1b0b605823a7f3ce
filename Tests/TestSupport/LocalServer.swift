import Glibc
import Synchronization

/// An HTTP server on loopback that answers as a test wants, rightly or not.
///
/// One thread takes connections and answers one request on each; what it sends is exactly what the
/// answer says, so that it can break off anywhere.
public final class LocalServer: Sendable {
  public struct Request: Sendable {
    /// With the query.
    public var path: String
    /// Names in small letters.
    public var headers: [String: String]

    /// The first byte of `Range: bytes=FIRST-`.
    public var rangeStart: Int? {
      headers["range"].flatMap { $0.firstMatch(of: /bytes=(\d+)-/) }.flatMap { Int($0.1) }
    }
  }

  public struct Answer: Sendable {
    public var status = 200
    public var headers: [(String, String)] = []
    public var body: [UInt8] = []
    /// Bytes of the body after which the connection breaks; nil sends all.
    public var breaksAfter: Int?
    /// Whether the connection stays open and silent after what was sent, until the client closes it.
    public var stalls = false
    /// The length that the head tells, where that is not the body's; -1 tells none.
    public var toldLength: Int?

    public init(
      status: Int = 200, headers: [(String, String)] = [], body: [UInt8] = [],
      breaksAfter: Int? = nil, stalls: Bool = false, toldLength: Int? = nil
    ) {
      self.status = status
      self.headers = headers
      self.body = body
      self.breaksAfter = breaksAfter
      self.stalls = stalls
      self.toldLength = toldLength
    }

    /// The same answer, broken off.
    public func breaking(after count: Int?) -> Answer {
      var answer = self
      answer.breaksAfter = count
      return answer
    }
  }

  private struct State {
    var requests: [Request] = []
    var isStopped = false
  }

  private let listener: Int32
  public let port: Int
  private let state = Mutex(State())
  private let respond: @Sendable (Request, _ index: Int) -> Answer

  public var address: String { "http://127.0.0.1:\(port)" }
  /// Every request so far.
  public var requests: [Request] { state.withLock { $0.requests } }

  /// - Parameter respond: the answer to a request, with its number from 0.
  public init(_ respond: @escaping @Sendable (Request, _ index: Int) -> Answer) {
    self.respond = respond
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    // Safety: the address is one of the kind that the socket has, and lives through the calls.
    let descriptor = listener
    withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        precondition(bind(descriptor, pointer, length) == 0, "no loopback")
        precondition(listen(descriptor, 16) == 0, "no loopback")
        getsockname(descriptor, pointer, &length)
      }
    }
    port = Int(UInt16(bigEndian: address.sin_port))
  }

  /// Serves while the body runs.
  public func serving<Result>(_ body: () async throws -> Result) async rethrows -> Result {
    start()
    defer { stop() }
    return try await body()
  }

  /// Begins to take connections.
  public func start() {
    var thread = pthread_t()
    let server = Unmanaged.passRetained(self)
    pthread_create(
      &thread, nil,
      { argument in
        // Safety: retained above for this thread.
        Unmanaged<LocalServer>.fromOpaque(argument!).takeRetainedValue().run()
        return nil
      }, server.toOpaque())
    pthread_detach(thread)
  }

  /// Takes no more connections.
  public func stop() {
    state.withLock { $0.isStopped = true }
    shutdown(listener, Int32(SHUT_RDWR))
  }

  private func run() {
    while true {
      let connection = accept(listener, nil, nil)
      guard connection >= 0 else {
        if errno == EINTR || errno == ECONNABORTED { continue }
        break
      }
      if let request = Self.request(connection) {
        let index = state.withLock {
          $0.requests.append(request)
          return $0.requests.count - 1
        }
        Self.send(respond(request, index), connection)
      }
      close(connection)
    }
    close(listener)
  }

  private static func request(_ connection: Int32) -> Request? {
    var text: [UInt8] = []
    var byte: UInt8 = 0
    while !text.suffix(4).elementsEqual([13, 10, 13, 10]) {
      guard text.count < 65536, read(connection, &byte, 1) == 1 else { return nil }
      text.append(byte)
    }
    let lines = String(decoding: text, as: UTF8.self).split(separator: "\r\n")
    let words = lines.first?.split(separator: " ") ?? []
    guard words.count == 3 else { return nil }
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1)
      guard parts.count == 2 else { continue }
      headers[parts[0].lowercased()] = String(parts[1].drop { $0 == " " })
    }
    return Request(path: String(words[1]), headers: headers)
  }

  private static func send(_ answer: Answer, _ connection: Int32) {
    var head = "HTTP/1.1 \(answer.status) Status\r\nConnection: close\r\n"
    let length = answer.toldLength ?? answer.body.count
    if length >= 0 { head += "Content-Length: \(length)\r\n" }
    for (name, value) in answer.headers { head += "\(name): \(value)\r\n" }
    let body = answer.breaksAfter.map { answer.body.prefix($0) } ?? answer.body[...]
    var rest = (Array((head + "\r\n").utf8) + body)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes {
        Glibc.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return }
      rest = rest.dropFirst(count)
    }
    guard answer.stalls else { return }
    // The client closes when it has waited enough.
    var byte: UInt8 = 0
    while read(connection, &byte, 1) > 0 {}
  }
}
