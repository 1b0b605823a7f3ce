/// A hub of models on loopback, as huggingface.co answers, for tests to break.
public struct LocalHub: Sendable {
  public struct File: Sendable {
    public var path: String
    public var content: [UInt8]
    /// What the list says.
    public var sha256: String
    public var byteCount: Int

    public init(_ path: String, _ content: [UInt8], sha256: String? = nil, byteCount: Int? = nil) {
      self.path = path
      self.content = content
      self.sha256 = sha256 ?? plainSHA256(content)
      self.byteCount = byteCount ?? content.count
    }
  }

  public var repository: String
  public var files: [File]

  public init(_ repository: String, _ files: [File]) {
    self.repository = repository
    self.files = files
  }

  /// Bytes without a pattern.
  public static func content(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    return (0..<count).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return UInt8(truncatingIfNeeded: state >> 56)
    }
  }

  /// The list of all files, as JSON.
  public var list: String {
    let entries = files.map { file in
      let size = "\"size\":\(file.byteCount)"
      let path = file.path.replacing("\\", with: "\\\\")
      return """
        {"type":"file","oid":"0","path":"\(path)",\(size),"lfs":{"oid":"\(file.sha256)",\(size)}}
        """
    }
    let folder = "{\"type\":\"directory\",\"oid\":\"0\",\"size\":0,\"path\":\"folder\"}"
    let small = "{\"type\":\"file\",\"oid\":\"0\",\"size\":9,\"path\":\"README.md\"}"
    return "[\(([folder, small] + entries).joined(separator: ","))]"
  }

  /// The right answer to a request.
  public func answer(_ request: LocalServer.Request) -> LocalServer.Answer {
    if request.path == "/api/models/\(repository)/tree/main?recursive=true" {
      return LocalServer.Answer(body: Array(list.utf8))
    }
    let start = "/\(repository)/resolve/main/"
    guard request.path.hasPrefix(start),
      let file = files.first(where: { $0.path == request.path.dropFirst(start.count) })
    else {
      return LocalServer.Answer(
        status: 404, headers: [("X-Error-Message", "Repository not found")])
    }
    return Self.answer(request, content: file.content)
  }

  /// A content, or the part of it that is asked for.
  public static func answer(
    _ request: LocalServer.Request, content: [UInt8], entityTag: String = "\"one\""
  ) -> LocalServer.Answer {
    let isOther = request.headers["if-range"].map { $0 != entityTag } ?? false
    guard let first = request.rangeStart, !isOther else {
      return LocalServer.Answer(headers: [("ETag", entityTag)], body: content)
    }
    guard first < content.count else {
      return LocalServer.Answer(
        status: 416, headers: [("Content-Range", "bytes */\(content.count)")])
    }
    let range = "bytes \(first)-\(content.count - 1)/\(content.count)"
    return LocalServer.Answer(
      status: 206, headers: [("ETag", entityTag), ("Content-Range", range)],
      body: Array(content[first...]))
  }
}
