import Inference
import OrderedJSON
import Sampling

/// What an answer took, in words and as JSON.
struct GenerationReport {
  let result: GenerationResult
  let sampling: SamplingSettings
  let contextLength: Int
  /// What the hybrid engine did for the answer; nil where the CPU computed alone.
  let figures: HybridFigures?

  init(
    _ result: GenerationResult, sampling: SamplingSettings, contextLength: Int,
    figures: HybridFigures? = nil
  ) {
    self.figures = figures
    self.result = result
    self.sampling = sampling
    self.contextLength = contextLength
  }

  /// The seed, where random numbers were drawn.
  var seed: UInt64? { sampling.isGreedy ? nil : sampling.seed }

  var words: String {
    if result.stopReason == .cancelled, result.tokens.isEmpty {
      return "prompt: \(result.promptTokenCount) tokens; stopped before the answer"
    }
    let reused = result.reusedTokenCount > 0 ? ", \(result.reusedTokenCount) of them kept" : ""
    let prefill = HumanUnits.fixed(result.prefillTokensPerSecond, 1)
    let decode = HumanUnits.fixed(result.decodeTokensPerSecond, 1)
    let seed = seed.map { "; seed \($0)" } ?? ""
    return "prompt: \(result.promptTokenCount) tokens\(reused), \(prefill) tokens/s\nanswer: "
      + "\(result.tokens.count) tokens, \(decode) tokens/s; \(reason)\(seed)"
      + (figures.map { "\n" + $0.words } ?? "")
  }

  /// The same on one line, for those who talk.
  var line: String {
    let decode = HumanUnits.fixed(result.decodeTokensPerSecond, 1)
    let prefill = HumanUnits.fixed(result.prefillTokensPerSecond, 1)
    let kept = result.reusedTokenCount > 0 ? " (\(result.reusedTokenCount) kept)" : ""
    let used = result.promptTokenCount + result.tokens.count
    var parts = [
      HumanUnits.counted(result.tokens.count, "token")
        + (result.tokens.count > 1 ? ", \(decode)/s" : ""),
      "prompt \(result.promptTokenCount)\(kept), \(prefill)/s",
      "context \(used)/\(contextLength)",
    ]
    if let decode = figures?.decode, decode.activated > 0 {
      let present = decode.share(decode.hits + decode.prefetched)
      parts.append("on the device \(Int((present * 100).rounded())) %")
    }
    if result.stopReason != .endOfText { parts.append(reason) }
    return parts.joined(separator: " · ")
  }

  private var reason: String {
    switch result.stopReason {
    case .endOfText: "the model ended"
    case .stopString: "stop string"
    case .maximumTokens: "--max-tokens reached"
    case .contextFull: "context full"
    case .cancelled: "stopped"
    }
  }

  /// What to say even without --stats: that the context cut the answer short, and what helps.
  func warning(remedy: String) -> String? {
    guard result.stopReason == .contextFull else { return nil }
    return "The answer ends here because the context of \(contextLength) tokens is full; \(remedy)."
  }

  var members: [(String, JSONValue)] {
    [
      ("text", .string(result.text)), ("tokens", .integers(result.tokens)),
      ("stopReason", .string(result.stopReason.rawValue)),
      ("stopString", .optional(result.stopString)),
      ("promptTokens", .integer(result.promptTokenCount)),
      ("reusedTokens", .integer(result.reusedTokenCount)),
      ("prefillSeconds", .double(result.prefillSeconds)),
      ("decodeSeconds", .double(result.decodeSeconds)),
      ("prefillTokensPerSecond", .double(result.prefillTokensPerSecond)),
      ("decodeTokensPerSecond", .double(result.decodeTokensPerSecond)),
      ("seed", seed.map(JSONValue.unsigned) ?? .null), ("sampling", sampling.json),
    ] + (figures.map { [("engine", $0.json)] } ?? [])
  }
}
