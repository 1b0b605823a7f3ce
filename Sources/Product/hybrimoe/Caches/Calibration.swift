import Experts
import OrderedJSON

/// What was learned of a machine and a model in earlier runs: measured costs, and how often each expert was used.
struct Calibration: Equatable {
  /// What it is valid for: anything else is another machine or another model.
  struct Key: Equatable {
    /// The device's name and driver.
    var device: String
    var processor: String
    var threadCount: Int
    /// The model's name, its experts' sizes and element types.
    var model: String
  }

  var key: Key
  /// Nil until a warm-up has measured them.
  var costs: CostModel?
  /// Uses of each expert, [MoE layers × experts]; older ones count less.
  var popularity: [Double] = []

  /// A file with another number is not read: the figures in it may mean something else.
  static let version = 1

  var json: JSONValue {
    .object([
      ("hybrimoeCalibration", .integer(Self.version)), ("device", .string(key.device)),
      ("processor", .string(key.processor)), ("threads", .integer(key.threadCount)),
      ("model", .string(key.model)), ("costs", costs?.json ?? .null),
      ("popularity", .array(popularity.map(JSONValue.double))),
    ])
  }

  /// - Throws: `JSONError` where a file is no calibration of this version.
  init(_ root: JSONNode) throws(JSONError) {
    _ = try root["hybrimoeCalibration"].integer(in: Self.version...Self.version)
    key = Key(
      device: try root["device"].string(), processor: try root["processor"].string(),
      threadCount: try root["threads"].integer(), model: try root["model"].string())
    if let node = try root.optional("costs") { costs = try CostModel(node) }
    for node in try root["popularity"].elements() {
      popularity.append(try node.number(in: 0...1e15))
    }
  }

  init(key: Key) { self.key = key }
}

extension CostModel {
  fileprivate static let positive = 1e-9...1e15
  fileprivate static let time = 0.0...1e12

  /// Microseconds, and bytes or weights times tokens in a microsecond.
  var json: JSONValue {
    .object([
      (
        "cpu",
        .object(
          cpu.sorted { $0.key < $1.key }.map { type, cpu in
            (
              type,
              .object([
                ("first", .double(cpu.firstMicroseconds)),
                ("bytes", .double(cpu.bytesPerMicrosecond)),
                ("products", .double(cpu.parameterTokensPerMicrosecond)),
              ])
            )
          })
      ),
      (
        "gpu",
        .object([
          ("launch", .double(gpu.launchMicroseconds)), ("expert", .double(gpu.expertMicroseconds)),
          ("bytes", .double(gpu.bytesPerMicrosecond)), ("knee", .integer(gpu.kneeTokens)),
          ("products", .double(gpu.parameterTokensPerMicrosecond)),
        ])
      ),
      (
        "link",
        .object([
          ("latency", .double(link.latencyMicroseconds)),
          ("bytes", .double(link.bytesPerMicrosecond)),
          ("overlappedBytes", .double(link.overlappedBytesPerMicrosecond)),
        ])
      ), ("handshake", .double(handshakeMicroseconds)),
    ])
  }

  /// - Throws: `JSONError` for figures that no machine has.
  init(_ node: JSONNode) throws(JSONError) {
    var types: [String: CPU] = [:]
    for (type, cpu) in try node["cpu"].members() {
      types[type] = CPU(
        firstMicroseconds: try cpu["first"].number(in: Self.time),
        bytesPerMicrosecond: try cpu["bytes"].number(in: Self.positive),
        parameterTokensPerMicrosecond: try cpu["products"].number(in: Self.positive))
    }
    let gpu = try node["gpu"]
    let link = try node["link"]
    self.init(
      cpu: types,
      gpu: GPU(
        launchMicroseconds: try gpu["launch"].number(in: Self.time),
        expertMicroseconds: try gpu["expert"].number(in: Self.time),
        bytesPerMicrosecond: try gpu["bytes"].number(in: Self.positive),
        kneeTokens: try gpu["knee"].integer(in: 0...1_000_000),
        parameterTokensPerMicrosecond: try gpu["products"].number(in: Self.positive)),
      link: Link(
        latencyMicroseconds: try link["latency"].number(in: Self.time),
        bytesPerMicrosecond: try link["bytes"].number(in: Self.positive),
        overlappedBytesPerMicrosecond: try link["overlappedBytes"].number(in: Self.positive)),
      handshakeMicroseconds: try node["handshake"].number(in: Self.time))
  }
}
