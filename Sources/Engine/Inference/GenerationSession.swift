import CPUCompute
import Models
import Sampling
import Tokenizers

/// Why an answer ended.
public enum StopReason: String, Sendable, Equatable {
  /// The model said that it has finished.
  case endOfText
  /// A stop string was written.
  case stopString
  /// As many tokens as were asked for.
  case maximumTokens
  /// The context is full.
  case contextFull
  /// The caller asked to stop.
  case cancelled
}

/// An answer and what it took.
public struct GenerationResult: Sendable {
  public var text = ""
  public var tokens: [Int] = []
  /// Of each of `tokens`, where they were asked for.
  public var logProbabilities: [LogProbabilities] = []
  public var stopReason = StopReason.endOfText
  /// The stop string that ended the answer.
  public var stopString: String?
  public var promptTokenCount = 0
  /// Tokens of the prompt that the cache held already.
  public var reusedTokenCount = 0
  /// Seconds from the call to the first token's logits.
  public var prefillSeconds = 0.0
  /// Seconds from there to the end.
  public var decodeSeconds = 0.0

  /// Tokens of the prompt per second, those reused not counted.
  public var prefillTokensPerSecond: Double {
    prefillSeconds > 0 ? Double(promptTokenCount - reusedTokenCount) / prefillSeconds : 0
  }

  /// Tokens of the answer per second behind the first one, which the prefill gives.
  public var decodeTokensPerSecond: Double {
    decodeSeconds > 0 && tokens.count > 1 ? Double(tokens.count - 1) / decodeSeconds : 0
  }
}

/// One conversation: its tokens stay in the KV cache, and a prompt that begins as the last one did is
/// computed only from where it differs.
///
/// Not for use by two threads at once.
public final class GenerationSession {
  public let loaded: LoadedModel
  public let runner: SequenceRunner
  /// Sees the routing of every step.
  public var observer: (any StepObserver)?
  /// Control tokens whose names belong to the text: the marks of thoughts in some models.
  public var shownTokens: Set<Int> = []

  public var contextLength: Int { runner.contextLength }

  /// - Parameter backend: makes what computes the sequence; nil: this processor.
  /// - Throws: as `SequenceRunner.init`.
  public init(
    _ loaded: LoadedModel, options: SessionOptions = SessionOptions(),
    backend: ((SequenceSetup) throws -> any SequenceBackend)? = nil
  ) throws {
    self.loaded = loaded
    runner = try SequenceRunner(model: loaded.model, options: options, backend: backend)
  }

  /// Continues a prompt.
  ///
  /// - Parameters:
  ///   - prompt: the whole sequence so far, what earlier calls computed included.
  ///   - sampling: how tokens are chosen; its penalties count the prompt's tokens too.
  ///   - topLogProbabilities: how many of the most probable tokens to tell beside each token, at
  ///     least 0; nil: no probabilities.
  ///   - maximumTokens: nil: until the model ends or the context is full.
  ///   - stop: strings that end the answer; they are not part of it.
  ///   - isCancelled: asked often; true ends the answer with what there is.
  ///   - onProgress: tokens of the prompt computed so far, and how many there are to compute.
  ///   - onText: the answer's text as it comes, whole characters only.
  /// - Throws: `InferenceError`, `SamplingError`, `HostMemoryError`.
  public func generate(
    prompt: [Int], sampling: SamplingSettings, topLogProbabilities: Int? = nil,
    maximumTokens: Int? = nil, stop: [String] = [], isCancelled: () -> Bool = { false },
    onProgress: (Int, Int) -> Void = { _, _ in }, onText: @escaping (String) -> Void = { _ in }
  ) throws -> GenerationResult {
    guard !prompt.isEmpty else { throw InferenceError.emptyPrompt }
    guard prompt.count <= contextLength else {
      throw InferenceError.promptTooLong(tokenCount: prompt.count, contextLength: contextLength)
    }
    try sampling.checkBiases(vocabularySize: loaded.tokenizer.tokenCount)
    var answer = Answer(
      tokenizer: loaded.tokenizer, matcher: try StopMatcher(stop),
      topLogProbabilities: topLogProbabilities, onText: onText)
    answer.result.promptTokenCount = prompt.count
    answer.result.reusedTokenCount = reuse(prompt)
    answer.show(tokens: shownTokens)
    let clock = ContinuousClock()
    let start = clock.now
    var prefilled: ContinuousClock.Instant?
    var reason = StopReason.cancelled
    do {
      let missing = prompt.count - answer.result.reusedTokenCount
      observer?.willRun(.prefill)
      let logits = try runner.accept(
        Array(prompt.suffix(missing)), observer: observer, progress: { onProgress($0, missing) },
        isCancelled: isCancelled)
      prefilled = clock.now
      observer?.willRun(.decode)
      reason = try decode(
        from: logits, into: &answer, sampler: sampler(sampling, prompt: prompt),
        maximumTokens: maximumTokens, isCancelled: isCancelled)
    } catch InferenceError.cancelled {
      reason = .cancelled
    }
    let end = clock.now
    answer.result.prefillSeconds = ((prefilled ?? end) - start).seconds
    answer.result.decodeSeconds = (end - (prefilled ?? end)).seconds
    return answer.finished(reason)
  }

  /// Chooses token after token until something ends the answer.
  private func decode(
    from firstLogits: [Float], into answer: inout Answer, sampler: consuming Sampler,
    maximumTokens: Int?, isCancelled: () -> Bool
  ) throws -> StopReason {
    var logits = firstLogits
    while true {
      if let maximumTokens, answer.result.tokens.count >= maximumTokens { return .maximumTokens }
      if isCancelled() { return .cancelled }
      let token = try sampler.next(logits)
      if loaded.tokenizer.isEndOfGeneration(token) { return .endOfText }
      if try answer.append(token, logits) { return .stopString }
      if let maximumTokens, answer.result.tokens.count >= maximumTokens { return .maximumTokens }
      if runner.tokens.count >= contextLength { return .contextFull }
      logits = try runner.accept(
        [token], phase: .decode, observer: observer, isCancelled: isCancelled)
    }
  }

  private func sampler(_ settings: SamplingSettings, prompt: [Int]) -> Sampler {
    let tokenizer = loaded.tokenizer
    return Sampler(settings, prompt: prompt) { token in
      tokenizer.isControl(token) || tokenizer.isEndOfGeneration(token)
        ? .control : .plain(tokenizer.bytes(of: token) ?? [])
    }
  }

  /// Rewinds the cache to where it agrees with a prompt, its last token excepted: that one's logits
  /// are wanted. Returns how many tokens stay.
  private func reuse(_ prompt: [Int]) -> Int {
    let common = zip(prompt, runner.tokens).prefix { $0 == $1 }.count
    let kept = min(common, prompt.count - 1)
    runner.rewind(to: kept)
    return kept
  }
}

/// An answer in the making: text comes out as whole characters and never as part of a stop string.
private struct Answer {
  var result = GenerationResult()
  private var decoder: StreamingDecoder
  private var matcher: StopMatcher
  private let topLogProbabilities: Int?
  private let onText: (String) -> Void

  init(
    tokenizer: Tokenizer, matcher: StopMatcher, topLogProbabilities: Int?,
    onText: @escaping (String) -> Void
  ) {
    self.topLogProbabilities = topLogProbabilities
    decoder = StreamingDecoder(tokenizer, continuing: true)
    self.matcher = matcher
    self.onText = onText
  }

  /// Takes a token and the scores that it was chosen from; true where it completes a stop string.
  mutating func append(_ token: Int, _ logits: [Float]) throws -> Bool {
    result.tokens.append(token)
    if let topLogProbabilities {
      result.logProbabilities.append(
        try LogProbabilities(logits.span, chosen: token, count: topLogProbabilities))
    }
    return feed(decoder.append(token))
  }

  mutating func finished(_ reason: StopReason) -> GenerationResult {
    result.stopReason = reason
    if reason != .stopString {
      if feed(decoder.finish()) { result.stopReason = .stopString } else { show(matcher.finish()) }
    }
    return result
  }

  private mutating func feed(_ piece: String) -> Bool {
    let outcome = matcher.feed(piece)
    show(outcome.text)
    result.stopString = outcome.stopString
    return outcome.stopString != nil
  }

  private mutating func show(_ text: String) {
    guard !text.isEmpty else { return }
    result.text += text
    onText(text)
  }
}

extension Answer {
  /// Takes the names of some control tokens into the text.
  fileprivate mutating func show(tokens: Set<Int>) { decoder.shownTokens = tokens }
}

extension Duration {
  /// The duration in seconds.
  public var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
