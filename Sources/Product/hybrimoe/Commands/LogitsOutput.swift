import OrderedJSON
import Tokenizers

extension Logits {
  /// Prints scores, continuation and experts.
  ///
  /// - Parameters:
  ///   - logits: `[vocabulary]` of the last position.
  ///   - experts: by layer `[tokens × ranks]`, best first.
  func show(
    _ logits: [Float], _ continuation: [Int], _ experts: [Int: [Int]], tokenCount: Int,
    tokenizer: Tokenizer
  ) throws {
    let output = OutputStream.standardOutput
    if looking.json {
      let layers = experts.sorted { $0.key < $1.key }.map { layer, ids in
        (String(layer), JSONValue.array(Self.rows(ids, count: tokenCount).map { .integers($0) }))
      }
      let object = JSONValue.object([
        ("logits", .array(logits.map(JSONValue.float))), ("greedy", .integers(continuation)),
        ("experts", .object(layers)),
      ])
      return try output.write(object.text + "\n")
    }
    let best = logits.indices.sorted { (logits[$0], $1) > (logits[$1], $0) }.prefix(10)
    var scores = TextTable([("token", .right), ("score", .right), ("text", .left)])
    for token in best {
      scores.add("\(token)", HumanUnits.fixed(Double(logits[token]), 4), shown(token, tokenizer))
    }
    var routing = TextTable([("layer", .right), ("experts of the last token", .left)])
    for (layer, ids) in experts.sorted(by: { $0.key < $1.key }) {
      let last = Self.rows(ids, count: tokenCount).last ?? []
      routing.add("\(layer)", last.map(String.init).joined(separator: " "))
    }
    try output.write(scores.text + "\n" + routing.text)
    if !continuation.isEmpty {
      let text = (try? tokenizer.decode(continuation, skipSpecial: false)) ?? ""
      try output.write("\ngreedy  \(continuation.map(String.init).joined(separator: " "))\n")
      try output.write("text    '\(TerminalText.safe(text))'\n")
    }
  }

  private func shown(_ token: Int, _ tokenizer: Tokenizer) -> String {
    let text = tokenizer.bytes(of: token).map { String(decoding: $0, as: UTF8.self) } ?? ""
    return "'\(TerminalText.safe(text))'"
  }

  /// Cuts a flat list into `count` rows of equal length.
  private static func rows(_ flat: [Int], count: Int) -> [[Int]] {
    let length = flat.count / max(1, count)
    guard length > 0 else { return [] }
    return stride(from: 0, to: flat.count, by: length).map { Array(flat[$0..<$0 + length]) }
  }
}
