import GGUF
import Sampling

/// The sampling that a model's maker recommends, where the file has it (`general.sampling.…`, the keys
/// that llama.cpp writes and reads).
///
/// As there, numbers beyond the range of a rule switch the rule off: a top-k of 0 or less, a top-p of 1
/// or more, a min-p of 0 or less; a temperature below 0 is greedy. What is no such number is no hint,
/// and neither is an order of samplers of which one is unknown here.
struct SamplingHints: Equatable {
  var temperature: Float?
  var topK: Int?
  var topP: Float?
  var minP: Float?
  var xtcProbability: Float?
  var xtcThreshold: Float?
  var repeatPenalty: Float?
  var repeatLastN: Int?
  var order: [SamplingStep]?

  init() {}

  init(_ metadata: GGUFMetadata) {
    func real(_ name: String) -> Float? {
      let found = (try? metadata.realIfPresent("general.sampling.\(name)")) ?? nil
      return found.map { Float($0) }.flatMap { $0.isFinite ? $0 : nil }
    }
    func integer(_ name: String) -> Int? {
      (try? metadata.integerIfPresent("general.sampling.\(name)")) ?? nil
    }
    temperature = real("temp").map { max(0, $0) }
    topK = integer("top_k").map { max(0, $0) }
    topP = real("top_p").flatMap { $0 > 0 ? min(1, $0) : nil }
    minP = real("min_p").map { min(1, max(0, $0)) }
    xtcProbability = real("xtc_probability").map { min(1, max(0, $0)) }
    xtcThreshold = real("xtc_threshold").flatMap { $0 > 0 ? min(1, $0) : nil }
    repeatPenalty = real("penalty_repeat").flatMap { $0 > 0 ? $0 : nil }
    repeatLastN = integer("penalty_last_n").map { max(-1, $0) }
    let sequence = (try? metadata.stringIfPresent("general.sampling.sequence")) ?? nil
    order = sequence.flatMap(Self.order)
  }

  /// Reads an order in llama.cpp's names, of which some samplers have several. Without a temperature it
  /// is none, since a user's temperature of 0 must stay greedy.
  private static func order(_ sequence: String) -> [SamplingStep]? {
    let others = [
      "nucleus": "top-p", "typical": "typical-p", "typ-p": "typical-p", "typ": "typical-p",
      "temp": "temperature",
    ]
    let names = sequence.split(separator: ";").map { part in
      let name = String(part.map { $0 == "_" ? "-" : $0 })
      return others[name] ?? name
    }
    let order = try? SamplingStep.order(names.joined(separator: ";"))
    return order.flatMap { $0.contains(.temperature) ? $0 : nil }
  }
}
