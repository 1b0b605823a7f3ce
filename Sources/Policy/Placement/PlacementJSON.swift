import OrderedJSON

extension PlacementPlan {
  /// The plan as one JSON object; bytes and tokens per second throughout.
  public var json: JSONValue {
    let explanation = PlacementExplanation(self)
    var members: [(String, JSONValue)] = [
      ("model", .string(request.shape.name)),
      ("quantization", .string(request.shape.quantization)),
      ("machine", .string(request.machine.name)),
      ("context", .integer(request.context)),
      ("keyValueType", .string(request.keyValueType.rawValue)),
      ("fits", .bool(hostFits && denseFits)),
      ("runs", .bool(hostFits)),
      ("summary", .string(explanation.summary)),
      ("gpu", memory(gpuBytes, gpuParts)),
      ("host", memory(hostBytes, hostParts, extra: [("pinnedBytes", .integer(pinnedBytes))])),
      ("slots", .integer(slotCount)),
      ("experts", .integer(expertCount)),
      ("outputHead", .string(output.rawValue)),
      ("speed", speed.map(\.json) ?? .null),
    ]
    members += [
      ("reductions", .array(explanation.reductions.map(JSONValue.string))),
      ("explanation", .array(explanation.sentences.map(JSONValue.string))),
      ("advice", .array(explanation.advice.map(JSONValue.string))),
      ("layers", .array(layers.indices.map(layer))),
    ]
    return .object(members)
  }

  private func memory(
    _ bytes: Int, _ parts: [Part], extra: [(String, JSONValue)] = []
  ) -> JSONValue {
    let list = parts.map { part in
      JSONValue.object([
        ("what", .string(part.kind.rawValue)), ("bytes", .integer(part.bytes)),
      ])
    }
    return .object([("bytes", .integer(bytes)), ("parts", .array(list))] + extra)
  }

  private func layer(_ index: Int) -> JSONValue {
    let layer = layers[index]
    var members: [(String, JSONValue)] = [
      ("layer", .integer(index)), ("attention", .string(layer.attention.rawValue)),
      ("feedForward", .string(layer.feedForward.rawValue)),
    ]
    if let experts = layer.experts {
      members += [
        ("experts", .string(experts.rawValue)), ("slots", .integer(layer.slots)),
        ("of", .integer(layer.expertCount)),
      ]
    }
    return .object(members)
  }
}

extension PlacementSpeed {
  var json: JSONValue {
    .object([
      ("decodeTokensPerSecond", .double(decodeTokensPerSecond)),
      ("prefillTokensPerSecond", .double(prefillTokensPerSecond)),
      ("promptTokens", .integer(promptTokens)), ("hitRate", .double(hitRate)),
      ("isHitRateAssumed", .bool(isHitRateAssumed)),
    ])
  }
}
