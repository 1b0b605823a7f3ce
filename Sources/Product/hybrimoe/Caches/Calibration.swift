import Devices
import Experts
import HybridExperts
import OrderedJSON
import Placement

/// What was learned of a machine and a model in earlier runs: measured costs, and how often each
/// expert was used.
struct Calibration: Equatable {
  /// What it is valid for: anything else is another machine or another model.
  var key: String
  /// Nil until a warm-up has measured them.
  var costs: MeasuredCosts?
  /// Uses of each expert, [MoE layers × experts]; older ones count less.
  var popularity: [Double] = []

  /// A file with another number is not read: the figures in it may mean something else.
  static let version = 1

  init(key: String) { self.key = key }

  /// The key of a model on a device beside this processor.
  static func key(
    _ device: DeviceProperties, _ shape: ModelShape, processor: String, threadCount: Int
  ) -> String {
    let experts = (0..<shape.moeLayerCount).map { shape.expertFootprint(layer: $0) }
    let bytes = experts.reduce(0) { $0 + $1.hostBytes }
    let types = Set(experts.map(\.elementType)).sorted().joined(separator: "+")
    return
      "\(shape.title) (\(shape.moeLayerCount) × \(shape.expertCount) experts, \(types), \(bytes) bytes) on "
      + "\(device.name), driver \(device.driverVersion), \(processor), "
      + HumanUnits.counted(threadCount, "thread")
  }

  var json: JSONValue {
    let costs = costs.flatMap { try? JSONValue(parsing: CostsFile(key: key, costs: $0).text) }
    return .object([
      ("hybrimoeCalibration", .integer(Self.version)), ("key", .string(key)),
      ("costs", costs ?? .null), ("popularity", .array(popularity.map(JSONValue.double))),
    ])
  }

  /// - Throws: `JSONError`, `CostsFileFault` where a file is no calibration of this version.
  init(_ root: JSONNode) throws {
    _ = try root["hybrimoeCalibration"].integer(in: Self.version...Self.version)
    key = try root["key"].string()
    if let node = try root.optional("costs") {
      costs = try CostsFile(text: node.value.text, key: key).costs
    }
    for node in try root["popularity"].elements() {
      popularity.append(try node.number(in: 0...1e15))
    }
  }
}
