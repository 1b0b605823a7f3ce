import FoundationEssentials
import NIOCore
import OrderedJSON

/// A file of a repository as the hub lists it.
public struct RemoteFile: Sendable, Equatable {
  /// Below the repository, with `/` between folders; safe to be put behind a folder's path.
  public var path: String
  public var byteCount: Int
  /// In small hexadecimal digits.
  public var sha256: String

  public init(path: String, byteCount: Int, sha256: String) {
    self.path = path
    self.byteCount = byteCount
    self.sha256 = sha256
  }
}

/// How a hub is reached.
public struct HubOptions: Sendable {
  /// The hub's address, or a mirror's.
  public var address = "https://huggingface.co"
  /// A secret that opens private repositories; it is sent to the hub alone, and only encrypted or within
  /// this machine.
  public var token: String?
  /// Seconds without a byte after which a connection counts as broken.
  public var idleSeconds = 30.0
  public var patience = Patience()

  public init() {}
}

/// A hub of models that speaks as huggingface.co does: lists of files, and the files.
///
/// Facts of the interface: https://huggingface.co/docs/hub/api and the answers of huggingface.co.
public struct Hub: Sendable {
  /// Most pages of a list, and most bytes of one: a list without an end must not fill the memory.
  static let maximumPages = 200
  static let maximumPageBytes = 16 << 20

  let client: WebClient
  let address: URL
  let patience: Patience

  /// - Throws: `DownloadError.wrongAddress`.
  public init(_ options: HubOptions) throws(DownloadError) {
    var text = options.address
    while text.hasSuffix("/") { text.removeLast() }
    guard let address = URL(string: text), let host = address.host(), !host.isEmpty,
      ["http", "https"].contains(address.scheme?.lowercased() ?? ""), address.query() == nil,
      address.fragment() == nil, Origin.hasPort(address)
    else { throw .wrongAddress(options.address) }
    self.address = address
    patience = options.patience
    client = WebClient(
      home: Origin(address), token: options.token.flatMap { $0.isEmpty ? nil : $0 },
      idle: .nanoseconds(Int64(max(0.001, options.idleSeconds) * 1e9)))
  }

  /// Closes the connections; must be called once, and last.
  public func shutDown() async { await client.shutDown() }

  /// The GGUF files of a repository.
  ///
  /// - Throws: `DownloadError`, `CancellationError`.
  public func ggufFiles(
    of repository: RepositoryName, tell: @Sendable (DownloadEvent) -> Void = { _ in }
  ) async throws -> [RemoteFile] {
    let what = "\(repository)"
    var next: URL? = try url("/api/models/\(repository)/tree/main?recursive=true")
    var files: [RemoteFile] = []
    var pages = 0
    while let page = next {
      pages += 1
      guard pages <= Self.maximumPages else {
        throw DownloadError.strangeAnswer(what: what, detail: "a list without an end")
      }
      let (bytes, link) = try await patience.insist(what: what, tell: tell) {
        try await text(page, what: what)
      }
      files += try Self.files(bytes, repository)
      next = try link.flatMap(Self.nextPage).map { target in
        guard let url = URL(string: target, relativeTo: page)?.absoluteURL,
          Origin(url) == Origin(address)
        else { throw DownloadError.strangeAnswer(what: what, detail: "its list goes on elsewhere") }
        return url
      }
    }
    return files
  }

  /// The address of a file's content.
  func contentAddress(_ path: String, of repository: RepositoryName) throws(DownloadError) -> URL {
    let escaped = path.split(separator: "/").map { Self.escaped($0) }.joined(separator: "/")
    return try url("/\(repository)/resolve/main/\(escaped)")
  }

  private func url(_ path: String) throws(DownloadError) -> URL {
    guard let url = URL(string: address.absoluteString + path) else {
      throw .wrongAddress(address.absoluteString)
    }
    return url
  }

  /// A whole answer, and where its list goes on.
  private func text(_ url: URL, what: String) async throws -> ([UInt8], link: String?) {
    let answer = try await client.get(url, what: what)
    var bytes: [UInt8] = []
    try await client.attempt {
      for try await chunk in answer.body {
        bytes += chunk.readableBytesView
        guard bytes.count <= Self.maximumPageBytes else {
          throw DownloadError.strangeAnswer(what: what, detail: "a list of too many bytes")
        }
      }
    }
    return (bytes, answer.header("link"))
  }

  static func files(
    _ bytes: [UInt8], _ repository: RepositoryName
  ) throws(DownloadError) -> [RemoteFile] {
    do {
      var files: [RemoteFile] = []
      for entry in try JSONNode(JSONValue(parsing: bytes)).elements() {
        guard try entry["type"].string() == "file" else { continue }
        let path = try entry["path"].string()
        guard path.lowercased().hasSuffix(".gguf") else { continue }
        guard isSafe(path) else { throw DownloadError.unsafeName(repository: "\(repository)") }
        // Files of this size are kept apart from the repository's own, and listed with their checksum.
        guard let large = try entry.optional("lfs") else { continue }
        let digest = try large["oid"].string().lowercased()
        guard digest.utf8.count == 64, digest.allSatisfy(\.isHexDigit) else {
          throw DownloadError.strangeAnswer(
            what: "\(repository)", detail: "a checksum '\(WebClient.plain(digest))'")
        }
        let count = try large["size"].integer(in: 0...(1 << 50))
        files.append(RemoteFile(path: path, byteCount: count, sha256: digest))
      }
      return files
    } catch let error as DownloadError {
      throw error
    } catch {
      throw .strangeAnswer(what: "\(repository)", detail: WebClient.plain("\(error)"))
    }
  }

  /// Whether a path stays below the folder that it is put behind.
  static func isSafe(_ path: String) -> Bool {
    guard path.utf8.count <= 1000,
      !path.unicodeScalars.contains(where: {
        $0 == "\\" || $0.properties.generalCategory == .control
          || $0.properties.generalCategory == .format
      })
    else { return false }
    return path.split(separator: "/", omittingEmptySubsequences: false).allSatisfy {
      !$0.isEmpty && $0 != "." && $0 != ".." && $0.utf8.count <= 200
    }
  }

  /// The address in `Link: <ADDRESS>; rel="next"`.
  static func nextPage(_ link: String) -> String? {
    for part in link.split(separator: ",") where part.contains("rel=\"next\"") {
      guard let start = part.firstIndex(of: "<"), let end = part.firstIndex(of: ">"), start < end
      else { continue }
      return String(part[part.index(after: start)..<end])
    }
    return nil
  }

  private static func escaped(_ text: some StringProtocol) -> String {
    var result = ""
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
        UInt8(ascii: "."), UInt8(ascii: "~"):
        result.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        let digits = String(byte, radix: 16, uppercase: true)
        result += "%" + (digits.count == 1 ? "0" : "") + digits
      }
    }
    return result
  }
}
