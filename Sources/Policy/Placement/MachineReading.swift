import Experts

extension GPUProfile {
  /// The GPU of a machine's data file, and the host that goes with it.
  ///
  /// - Parameters:
  ///   - text: the JSON document; `Profiles/README.md` describes it.
  ///   - file: its name, for messages.
  /// - Throws: `ProfileError`.
  public static func machine(
    text: String, file: String = "machine"
  ) throws -> (gpu: GPUProfile, host: HostReference) {
    let root = try ProfileObject(
      text: text, file: file, required: ["kind", "name", "title", "host", "gpu", "link"])
    _ = try root.word("kind", of: ["machine"])
    let host: HostReference =
      if root.isText("host") {
        .named(try root.text("host"))
      } else {
        .described(
          try HostProfile(
            root.object("host", required: HostProfile.requiredKeys, optional: ["kind"])))
      }
    return (try GPUProfile(root), host)
  }

  private init(_ root: ProfileObject) throws {
    name = try root.text("name")
    title = try root.text("title")
    let gpu = try root.object(
      "gpu",
      required: [
        "memory", "margin", "read", "multiply", "launch", "expert", "knee", "layer", "handshake",
      ], optional: ["weight"])
    memoryBytes = Int(try gpu.number("memory", .bytes, in: 0...ProfileRange.memory))
    marginBytes = Int(try gpu.number("margin", .bytes, in: 0...Double(memoryBytes)))
    bytesPerMicrosecond = try gpu.number("read", .bandwidth, in: ProfileRange.bandwidth)
    parameterTokensPerMicrosecond = try gpu.number(
      "multiply", .multiplication, in: ProfileRange.multiplication)
    launchMicroseconds = try gpu.number("launch", .time, in: ProfileRange.time)
    expertMicroseconds = try gpu.number("expert", .time, in: ProfileRange.time)
    kneeTokens = try gpu.count("knee", of: "tokens", in: 0...1_000_000)
    layerMicroseconds = try gpu.number("layer", .time, in: ProfileRange.time)
    handshakeMicroseconds = try gpu.number("handshake", .time, in: ProfileRange.time)
    bytesPerWeight =
      gpu.has("weight") ? try gpu.number("weight", .bytesPerWeight, in: 0.125...4) : nil
    let link = try root.object("link", required: ["bandwidth", "latency"])
    linkBytesPerMicrosecond = try link.number("bandwidth", .bandwidth, in: ProfileRange.bandwidth)
    linkLatencyMicroseconds = try link.number("latency", .time, in: ProfileRange.time)
  }
}

extension HostProfile {
  static let requiredKeys = ["name", "title", "memory", "margin", "cores", "link", "cpu"]

  /// A host's data file.
  ///
  /// - Throws: `ProfileError`.
  public init(text: String, file: String = "host") throws {
    let root = try ProfileObject(text: text, file: file, required: ["kind"] + Self.requiredKeys)
    _ = try root.word("kind", of: ["host"])
    try self.init(root)
  }

  fileprivate init(_ root: ProfileObject) throws {
    name = try root.text("name")
    title = try root.text("title")
    memoryBytes = Int(try root.number("memory", .bytes, in: 0...ProfileRange.memory))
    marginBytes = Int(try root.number("margin", .bytes, in: 0...Double(memoryBytes)))
    coreCount = try root.count("cores", of: "cores", in: 1...4096)
    let link = try root.object("link", required: ["bandwidth", "overlapped"])
    linkBytesPerMicrosecond = try link.number("bandwidth", .bandwidth, in: ProfileRange.bandwidth)
    overlappedLinkShare = try link.number("overlapped", .ratio, in: 0.01...1)
    // Any element type may have an entry; one must serve those that have none.
    let entries = try root.object("cpu", required: nil)
    guard entries.has(CostModel.defaultElementType) else {
      throw ProfileError.missingKey(
        place: entries.place, key: CostModel.defaultElementType,
        known: [CostModel.defaultElementType])
    }
    var cpu: [String: CostModel.CPU] = [:]
    for type in entries.keys {
      let entry = try entries.object(type, required: ["first", "read", "multiply"])
      cpu[type] = CostModel.CPU(
        firstMicroseconds: try entry.number("first", .time, in: ProfileRange.time),
        bytesPerMicrosecond: try entry.number("read", .bandwidth, in: ProfileRange.bandwidth),
        parameterTokensPerMicrosecond: try entry.number(
          "multiply", .multiplication, in: ProfileRange.multiplication))
    }
    self.cpu = cpu
  }
}

/// What numbers of a profile can be without being a slip of the unit.
private enum ProfileRange {
  /// 64 TiB.
  static let memory = 70_368_744_177_664.0
  /// 1 MB/s to 100 TB/s.
  static let bandwidth = 1.0...1e8
  /// Up to ten seconds.
  static let time = 0.0...1e7
  /// 1 MMAC/s to 100 PMAC/s.
  static let multiplication = 1.0...1e11
}
