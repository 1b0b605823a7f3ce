import OrderedJSON

extension RoutingBehavior {
  /// A data file under `Profiles/routing`, which its README describes.
  ///
  /// Every figure is an object of `value`, `unit` and `source`, so that none stands there without a
  /// word about where it comes from.
  ///
  /// - Throws: `RoutingBehaviorError` with the place in the file.
  public init(text: String, file: String = "routing") throws(RoutingBehaviorError) {
    do {
      try self.init(JSONNode(JSONValue(parsing: text)))
    } catch {
      throw RoutingBehaviorError(description: "\(file): \(error)")
    }
    if let problem { throw RoutingBehaviorError(description: "\(file): \(problem)") }
  }

  private init(_ root: JSONNode) throws(JSONError) {
    try root.refuseOthers(than: [
      "kind", "name", "title", "persistence", "parts", "topicTokens", "driftTokens",
      "layerCorrelation", "sharpness", "accuracies", "biasShare", "renormalizes",
    ])
    let kind = try root["kind"]
    guard try kind.string() == "routing" else {
      throw kind.mismatch(expected: "\"routing\"", found: kind.value.text)
    }
    let parts = try root["parts"]
    try parts.refuseOthers(than: ["model", "sequence", "topic", "drift"])
    var accuracies: [Double] = []
    for node in try root["accuracies"].elements() {
      accuracies.append(try Self.figure(node, unit: "ratio"))
    }
    let renormalizes = try root["renormalizes"]
    try Self.checkSource(renormalizes, others: ["value"])
    self.init(
      persistence: try Self.figure(root["persistence"], unit: "ratio"),
      parts: Parts(
        model: try Self.figure(parts["model"], unit: "ratio"),
        sequence: try Self.figure(parts["sequence"], unit: "ratio"),
        topic: try Self.figure(parts["topic"], unit: "ratio"),
        drift: try Self.figure(parts["drift"], unit: "ratio")),
      topicTokens: try Self.figure(root["topicTokens"], unit: "tokens"),
      driftTokens: try Self.figure(root["driftTokens"], unit: "tokens"),
      layerCorrelation: try Self.figure(root["layerCorrelation"], unit: "ratio"),
      sharpness: try Self.figure(root["sharpness"], unit: "ratio"), accuracies: accuracies,
      biasShare: try Self.figure(root["biasShare"], unit: "ratio"),
      renormalizes: try renormalizes["value"].bool())
  }

  private static func figure(_ node: JSONNode, unit: String) throws(JSONError) -> Double {
    try checkSource(node, others: ["value", "unit"])
    let written = try node["unit"]
    guard try written.string() == unit else {
      throw written.mismatch(expected: "\"\(unit)\"", found: written.value.text)
    }
    return try node["value"].number()
  }

  private static func checkSource(_ node: JSONNode, others: [String]) throws(JSONError) {
    try node.refuseOthers(than: others + ["source"])
    let source = try node["source"]
    guard try source.string().contains(where: { !$0.isWhitespace }) else {
      throw source.mismatch(expected: "where the figure comes from", found: "nothing")
    }
  }
}

/// Why a data file describes no routing.
public struct RoutingBehaviorError: Error, Equatable, Sendable, CustomStringConvertible {
  public let description: String
}
