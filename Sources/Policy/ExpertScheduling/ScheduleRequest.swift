import Experts
import OrderedJSON

/// One scheduling case as people write it: experts by name, in JSON.
///
///     {"loads":{"A":1,"D":4},"resident":["D"],"scheduler":"hybrimoe",
///      "costs":{"cpuPerToken":1,"gpuPerExpert":1,"linkPerExpert":3}}
///
/// Experts keep the order of the keys in `loads`. Any unit of time will do, as long as it is the
/// same everywhere.
public struct ScheduleRequest: Equatable, Sendable {
  public var scheduler: SchedulerName
  /// An expert's `index` in the case is its place in `names`.
  public var names: [String]
  public var layerCase: LayerCase

  /// The name that stands for the shared expert in answers; no expert may have it.
  public static let sharedName = "shared"

  // Far beyond any real layer, and small enough that no sum of costs overflows or loses its digits.
  private static let largestTime = 1e12
  private static let largestLoad = 1_000_000_000

  /// Reads a request.
  ///
  /// `loads` and `costs` with `cpuPerToken`, `gpuPerExpert` and `linkPerExpert` must be there.
  /// `resident` defaults to none, `scheduler` to `hybrimoe`, every other time to 0,
  /// `linkPerExpertAlone` to `linkPerExpert`, and `phase` to decode where every load is 1, else to
  /// prefill.
  ///
  /// - Throws: `JSONError`, for text that is no JSON and for values that are no case.
  public init(parsing text: String) throws(JSONError) {
    try self.init(JSONNode(JSONValue(parsing: text)))
  }

  init(_ root: JSONNode) throws(JSONError) {
    try root.refuseOthers(than: [
      "loads", "resident", "arriving", "scheduler", "phase", "costs", "cpuFree", "gpuFree",
      "linkFree",
    ])
    scheduler = try root.optional("scheduler")?.choice(of: SchedulerName.self) ?? .hybrimoe
    names = []
    layerCase = LayerCase(
      phase: .decode, experts: [], costs: try Self.costs(root["costs"]))
    try readLoads(root["loads"])
    var places: [String: Int] = [:]
    for (place, name) in names.enumerated() { places[name] = place }
    try readResident(root.optional("resident"), places)
    try readArriving(root.optional("arriving"), places)
    layerCase.cpuFree = try Self.time(root, "cpuFree") ?? 0
    layerCase.gpuFree = try Self.time(root, "gpuFree") ?? 0
    layerCase.linkFree = try Self.time(root, "linkFree") ?? 0
    let isDecode = layerCase.experts.allSatisfy { $0.load == 1 }
    layerCase.phase =
      try root.optional("phase")?.choice(of: Phase.self) ?? (isDecode ? .decode : .prefill)
  }

  private mutating func readLoads(_ node: JSONNode) throws(JSONError) {
    let members = try node.members()
    guard members.count <= ExpertSet.limit else {
      throw node.mismatch(
        expected: "at most \(ExpertSet.limit) experts", found: "\(members.count)")
    }
    for (name, load) in members {
      guard name != Self.sharedName else {
        throw node.mismatch(
          expected: "names other than \"\(Self.sharedName)\", which means the shared expert "
            + "(give its time as costs.sharedOnGPU)", found: "\"\(name)\"")
      }
      layerCase.experts.append(
        ActivatedExpert(
          index: names.count, load: try load.integer(in: 1...Self.largestLoad),
          residency: .missing))
      names.append(name)
    }
  }

  private mutating func readResident(
    _ node: JSONNode?, _ places: [String: Int]
  ) throws(JSONError) {
    for element in try node?.elements() ?? [] {
      let place = try Self.place(named: element.string(), element, places)
      guard layerCase.experts[place].residency == .missing else {
        throw element.mismatch(
          expected: "each expert once", found: "\(element.value.text) again")
      }
      layerCase.experts[place].residency = .resident
    }
  }

  private mutating func readArriving(
    _ node: JSONNode?, _ places: [String: Int]
  ) throws(JSONError) {
    for (name, node) in try node?.members() ?? [] {
      let place = try Self.place(named: name, node, places)
      guard layerCase.experts[place].residency == .missing else {
        throw node.mismatch(
          expected: "an expert that is not resident", found: "one that resident lists")
      }
      layerCase.experts[place].residency = .arriving(at: try node.number(in: 0...Self.largestTime))
    }
  }

  private static func place(
    named name: String, _ node: JSONNode, _ places: [String: Int]
  ) throws(JSONError) -> Int {
    guard let place = places[name] else {
      throw node.mismatch(
        expected: "an expert that loads lists", found: JSONValue.string(name).text)
    }
    return place
  }

  private static func time(_ node: JSONNode, _ key: String) throws(JSONError) -> Double? {
    try node.optional(key)?.number(in: 0...largestTime)
  }

  private static func costs(_ node: JSONNode) throws(JSONError) -> LayerCosts {
    try node.refuseOthers(than: [
      "cpuFirst", "cpuPerExpert", "cpuPerToken", "gpuPerLaunch", "gpuPerExpert", "gpuPerToken",
      "gpuKnee", "linkPerExpert", "linkPerExpertAlone", "sharedOnGPU", "handshake",
    ])
    let range = 0...largestTime
    var costs = LayerCosts(
      cpuPerToken: try node["cpuPerToken"].number(in: range),
      gpuPerExpert: try node["gpuPerExpert"].number(in: range),
      linkPerExpert: try node["linkPerExpert"].number(in: range))
    if let alone = try node.optional("linkPerExpertAlone") {
      costs.linkPerExpertAlone = try alone.number(in: 0...costs.linkPerExpert)
    }
    costs.cpuFirst = try time(node, "cpuFirst") ?? 0
    costs.cpuPerExpert = try time(node, "cpuPerExpert") ?? 0
    costs.gpuPerLaunch = try time(node, "gpuPerLaunch") ?? 0
    costs.gpuPerToken = try time(node, "gpuPerToken") ?? 0
    costs.gpuKnee = try node.optional("gpuKnee")?.integer(in: 0...largestLoad) ?? 0
    costs.sharedOnGPU = try time(node, "sharedOnGPU") ?? 0
    costs.handshake = try time(node, "handshake") ?? 0
    return costs
  }
}
