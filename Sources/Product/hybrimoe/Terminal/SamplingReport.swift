import Inference
import OrderedJSON
import Sampling
import Tokenizers

extension SamplingSettings {
  /// The settings that took effect, for `--json`.
  var json: JSONValue {
    let biases = logitBias.sorted { $0.key < $1.key }.map { token, bias in
      // JSON has no infinity.
      (String(token), bias == -.infinity ? JSONValue.string("-inf") : .float(bias))
    }
    return .object([
      ("samplers", .array(order.map { .string($0.rawValue) })),
      ("activeSamplers", .array(activeSteps.map { .string($0.rawValue) })),
      ("greedy", .bool(isGreedy)),
      ("temperature", .float(temperature)), ("topK", .integer(topK)), ("topP", .float(topP)),
      ("minP", .float(minP)), ("typicalP", .float(typicalP)), ("topNSigma", .float(topNSigma)),
      ("xtcProbability", .float(xtc.probability)), ("xtcThreshold", .float(xtc.threshold)),
      ("repeatPenalty", .float(penalties.repeat)),
      ("presencePenalty", .float(penalties.presence)),
      ("frequencyPenalty", .float(penalties.frequency)),
      ("repeatLastN", .integer(penalties.lastCount)),
      ("dryMultiplier", .float(dry.multiplier)), ("dryBase", .float(dry.base)),
      ("dryAllowedLength", .integer(dry.allowedLength)),
      ("dryPenaltyLastN", .integer(dry.lastCount)),
      ("drySequenceBreakers", .array(dry.breakers.map(JSONValue.string))),
      ("logitBias", .object(biases)),
    ])
  }
}

extension LogProbabilities {
  /// For `--json`: the chosen token's members, and `top` with those of the most probable tokens.
  func json(_ tokenizer: Tokenizer) -> JSONValue {
    .object(
      chosen.members(tokenizer) + [("top", .array(top.map { .object($0.members(tokenizer)) }))])
  }
}

extension LogProbabilities.Entry {
  /// The text may lack parts of characters; the bytes are all there.
  fileprivate func members(_ tokenizer: Tokenizer) -> [(String, JSONValue)] {
    let bytes = tokenizer.bytes(of: token) ?? []
    return [
      ("token", .integer(token)), ("text", .string(String(decoding: bytes, as: UTF8.self))),
      ("bytes", .integers(bytes.map(Int.init))), ("logprob", .double(logProbability)),
    ]
  }
}
