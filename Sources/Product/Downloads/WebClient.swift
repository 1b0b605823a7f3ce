import AsyncHTTPClient
import FoundationEssentials
import NIOCore

/// An attempt that failed in a way that another one may not.
struct Interruption: Error, Equatable {
  /// In words, for a message.
  var reason: String
  /// How long the server asks to wait.
  var retryAfterSeconds: Int?
}

/// An answer whose head has come; its body is read as it comes.
struct WebAnswer {
  var status: Int
  var body: HTTPClientResponse.Body
  private let headers: [(name: String, value: String)]

  init(_ response: HTTPClientResponse) {
    status = Int(response.status.code)
    body = response.body
    headers = response.headers.map { ($0.name.lowercased(), $0.value) }
  }

  /// The first value of a header.
  func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
}

/// The one place that speaks HTTP.
///
/// It follows redirections itself, because a hub sends files from other hosts: the token must not go
/// with them.
struct WebClient: Sendable {
  /// The most redirections of one request.
  private static let maximumRedirections = 8

  private let client: HTTPClient
  /// The scheme, host and port that may see the token.
  private let home: Origin
  private let token: String?
  private let idleSeconds: Double

  init(home: Origin, token: String?, idle: TimeAmount) {
    var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
    configuration.timeout.connect = min(idle, .seconds(20))
    configuration.timeout.read = idle
    // The waits between attempts are this module's own.
    configuration.connectionPool.retryConnectionEstablishment = false
    client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    self.home = home
    self.token = token
    idleSeconds = Double(idle.nanoseconds) / 1e9
  }

  func shutDown() async { try? await client.shutdown() }

  /// The answer to a GET request, after redirections.
  ///
  /// - Throws: `Interruption` where another attempt may help, `DownloadError` where not,
  ///   `CancellationError`.
  func get(
    _ address: URL, headers: [(String, String)] = [], what: String
  ) async throws -> WebAnswer {
    var address = address
    for _ in 0...Self.maximumRedirections {
      let answer = try await execute(address, headers)
      switch answer.status {
      case 200, 206, 416: return answer
      case 301, 302, 303, 307, 308:
        address = try Self.target(of: answer, from: address, what: what)
      case 408, 429, 500...599:
        let seconds = answer.header("retry-after").flatMap { Int($0) }
        throw Interruption(
          reason: "the server answers with status \(answer.status)",
          retryAfterSeconds: seconds.map { max(0, $0) })
      default:
        // A signed address on another host runs out; the hub gives a new one.
        guard Origin(address) == home else {
          throw Interruption(reason: "\(Origin(address)) answers with status \(answer.status)")
        }
        throw DownloadError.refused(
          status: answer.status, what: what, hub: "\(home)", hasToken: token != nil,
          detail: answer.header("x-error-message").map(Self.plain))
      }
    }
    throw DownloadError.wrongRedirection(
      what: what, detail: "on and on (\(Self.maximumRedirections) times)")
  }

  private func execute(_ address: URL, _ headers: [(String, String)]) async throws -> WebAnswer {
    var request = HTTPClientRequest(url: address.absoluteString)
    request.headers.add(name: "User-Agent", value: "hybrimoe")
    request.headers.add(name: "Accept-Encoding", value: "identity")
    for (name, value) in headers { request.headers.add(name: name, value: value) }
    if let token, Origin(address) == home, home.isPrivate {
      request.headers.add(name: "Authorization", value: "Bearer \(token)")
    }
    return try await attempt {
      WebAnswer(try await client.execute(request, deadline: .distantFuture))
    }
  }

  /// Runs a step of an attempt; what goes wrong in it becomes an `Interruption`.
  func attempt<Value>(_ step: () async throws -> Value) async throws -> Value {
    do {
      return try await step()
    } catch let error as HTTPClientError where error == .readTimeout {
      throw Interruption(reason: "nothing came for \(Int(idleSeconds.rounded(.up))) s")
    } catch let error as HTTPClientError where error == .cancelled {
      throw CancellationError()
    } catch let error as CancellationError {
      throw error
    } catch let error as DownloadError {
      throw error
    } catch let error as Interruption {
      throw error
    } catch {
      if Task.isCancelled { throw CancellationError() }
      throw Interruption(reason: Self.words(error))
    }
  }

  private static func target(
    of answer: WebAnswer, from address: URL, what: String
  ) throws(DownloadError) -> URL {
    guard let text = answer.header("location"),
      let target = URL(string: text, relativeTo: address)?.absoluteURL, let host = target.host(),
      !host.isEmpty, Origin.hasPort(target)
    else { throw .wrongRedirection(what: what, detail: "nowhere") }
    let from = Origin(address)
    let to = Origin(target)
    guard to.scheme == "https" || to.scheme == "http",
      !(from.scheme == "https" && to.scheme == "http")
    else { throw .wrongRedirection(what: what, detail: "to \(to), which is not encrypted") }
    return target
  }

  private static func words(_ error: any Error) -> String {
    let text = plain("\(error)")
    // The library's words for what happens most are about its insides.
    let known = [
      ("Connection refused", "the server refuses the connection"),
      ("CERTIFICATE_VERIFY_FAILED", "this machine does not trust the certificate of the server"),
      ("Network is unreachable", "there is no network"),
      ("connectTimeout", "no connection in time"), ("ConnectTimeout", "no connection in time"),
      ("DNS error", "the server's name is not known"),
      ("remoteConnectionClosed", "the connection broke"),
      ("unexpected time", "the connection broke"), ("Connection reset", "the connection broke"),
      ("uncleanShutdown", "the connection broke"),
    ]
    return known.first { text.contains($0.0) }?.1 ?? text
  }

  /// Text of a server, fit to be shown: one short line.
  static func plain(_ text: String) -> String {
    String(
      String.UnicodeScalarView(
        text.unicodeScalars.prefix(200).map {
          $0.properties.generalCategory == .control ? " " : $0
        }))
  }
}

/// Scheme, host and port of an address: what decides who may see the token.
struct Origin: Equatable, CustomStringConvertible {
  let scheme: String
  let host: String
  let port: Int

  init(_ address: URL) {
    scheme = (address.scheme ?? "").lowercased()
    host = (address.host() ?? "").lowercased()
    port = address.port ?? (scheme == "https" ? 443 : 80)
  }

  /// Whether an address names no port or one that there is; the client traps at others.
  static func hasPort(_ address: URL) -> Bool { (1...65535).contains(address.port ?? 80) }

  /// Whether nobody on the way can read what is sent: encrypted, or within this machine.
  var isPrivate: Bool {
    scheme == "https" || ["localhost", "127.0.0.1", "::1", "[::1]"].contains(host)
  }

  var description: String {
    let isUsual = port == (scheme == "https" ? 443 : 80)
    return "\(scheme)://\(host)" + (isUsual ? "" : ":\(port)")
  }
}
