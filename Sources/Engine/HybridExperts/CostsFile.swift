import Experts
import OrderedJSON

/// Measured costs as they are kept from run to run: one file for each machine and model.
///
/// `key` says which machine, driver, model and program they were measured with; others' figures are not
/// used.
public struct CostsFile: Sendable, Equatable {
  /// Raised whenever figures of earlier versions mean something else.
  public static let version = 1

  public var key: String
  public var costs: MeasuredCosts

  public init(key: String, costs: MeasuredCosts) {
    self.key = key
    self.costs = costs
  }

  /// The file's text.
  public var text: String {
    let model = costs.model
    let cpu = model.cpu.sorted { $0.key < $1.key }.map { type, part in
      (
        type,
        JSONValue.object([
          ("firstMicroseconds", .double(part.firstMicroseconds)),
          ("bytesPerMicrosecond", .double(part.bytesPerMicrosecond)),
          ("parameterTokensPerMicrosecond", .double(part.parameterTokensPerMicrosecond)),
        ])
      )
    }
    let errors = costs.errors.map { ($0.part, JSONValue.double($0.maximumRelativeError)) }
    return JSONValue.object([
      ("version", .integer(Self.version)), ("key", .string(key)), ("cpu", .object(cpu)),
      (
        "gpu",
        .object([
          ("launchMicroseconds", .double(model.gpu.launchMicroseconds)),
          ("expertMicroseconds", .double(model.gpu.expertMicroseconds)),
          ("bytesPerMicrosecond", .double(model.gpu.bytesPerMicrosecond)),
          ("kneeTokens", .integer(model.gpu.kneeTokens)),
          ("parameterTokensPerMicrosecond", .double(model.gpu.parameterTokensPerMicrosecond)),
        ])
      ),
      (
        "link",
        .object([
          ("latencyMicroseconds", .double(model.link.latencyMicroseconds)),
          ("bytesPerMicrosecond", .double(model.link.bytesPerMicrosecond)),
          ("overlappedBytesPerMicrosecond", .double(model.link.overlappedBytesPerMicrosecond)),
        ])
      ), ("handshakeMicroseconds", .double(model.handshakeMicroseconds)),
      ("errors", .object(errors)),
    ]).text + "\n"
  }

  /// - Throws: `JSONError` where the text is no such file; `CostsFileFault` where it is another version's
  ///   or another machine's.
  public init(text: String, key: String) throws {
    let root = JSONNode(try JSONValue(parsing: text))
    guard try root["version"].integer() == Self.version else {
      throw CostsFileFault.otherVersion
    }
    guard try root["key"].string() == key else { throw CostsFileFault.otherMachine }
    self.key = key
    costs = MeasuredCosts()
    let rate = 1e-9...CostModel.unmeasurablyFast
    let time = 0...1e12
    for (type, node) in try root["cpu"].members() {
      costs.model.cpu[type] = CostModel.CPU(
        firstMicroseconds: try node["firstMicroseconds"].number(in: time),
        bytesPerMicrosecond: try node["bytesPerMicrosecond"].number(in: rate),
        parameterTokensPerMicrosecond: try node["parameterTokensPerMicrosecond"]
          .number(in: rate))
    }
    let gpu = try root["gpu"]
    costs.model.gpu = CostModel.GPU(
      launchMicroseconds: try gpu["launchMicroseconds"].number(in: time),
      expertMicroseconds: try gpu["expertMicroseconds"].number(in: time),
      bytesPerMicrosecond: try gpu["bytesPerMicrosecond"].number(in: rate),
      kneeTokens: try gpu["kneeTokens"].integer(in: 0...1 << 30),
      parameterTokensPerMicrosecond: try gpu["parameterTokensPerMicrosecond"]
        .number(in: rate))
    let link = try root["link"]
    costs.model.link = CostModel.Link(
      latencyMicroseconds: try link["latencyMicroseconds"].number(in: time),
      bytesPerMicrosecond: try link["bytesPerMicrosecond"].number(in: rate),
      overlappedBytesPerMicrosecond: try link["overlappedBytesPerMicrosecond"]
        .number(in: rate))
    costs.model.handshakeMicroseconds = try root["handshakeMicroseconds"].number(in: time)
    for (part, node) in try root["errors"].members() {
      costs.errors.append((part, try node.number(in: time)))
    }
  }
}

/// Why kept costs are measured anew.
public enum CostsFileFault: Error, Equatable, CustomStringConvertible {
  case otherVersion
  case otherMachine

  public var description: String {
    switch self {
    case .otherVersion: "the kept costs are those of another version of this program"
    case .otherMachine: "the kept costs are those of another machine, driver or model"
    }
  }
}
