import Foundation
import Inference
import Models
import Sampling
import Testing

@Suite struct SessionTests {
  private func session(
    context: Int? = nil, chunk: Int = 16, _ name: String = "qwen3moe-nano-F16"
  ) throws -> GenerationSession {
    var options = SessionOptions.exact(chunk: chunk)
    options.contextLength = context
    return try GenerationSession(try loadFixture(name), options: options)
  }

  private let prompt = [5, 99, 42, 7, 260, 301, 17, 8, 9, 120]

  @Test func `a second turn computes only what is new and says the same`() throws {
    let first = try session()
    let one = try first.generate(prompt: prompt, sampling: .greedy, maximumTokens: 6)
    #expect(one.reusedTokenCount == 0 && one.stopReason == .maximumTokens)
    let next = prompt + one.tokens + [3, 4, 5]
    let two = try first.generate(prompt: next, sampling: .greedy, maximumTokens: 6)
    // The last token of the first answer was chosen but never taken in.
    #expect(two.reusedTokenCount == prompt.count + one.tokens.count - 1)
    let fresh = try session().generate(prompt: next, sampling: .greedy, maximumTokens: 6)
    #expect(two.tokens == fresh.tokens && two.text == fresh.text)
  }

  @Test func `a prompt that differs early reuses only its beginning`() throws {
    let session = try session()
    _ = try session.generate(prompt: prompt, sampling: .greedy, maximumTokens: 3)
    var other = prompt
    other[4] = 11
    let again = try session.generate(prompt: other, sampling: .greedy, maximumTokens: 3)
    #expect(again.reusedTokenCount == 4)
    let fresh = try self.session().generate(prompt: other, sampling: .greedy, maximumTokens: 3)
    #expect(again.tokens == fresh.tokens)
  }

  @Test func `the same prompt twice gives the same answer`() throws {
    let session = try session()
    let one = try session.generate(prompt: prompt, sampling: .greedy, maximumTokens: 5)
    let two = try session.generate(prompt: prompt, sampling: .greedy, maximumTokens: 5)
    #expect(one.tokens == two.tokens && two.reusedTokenCount == prompt.count - 1)
  }

  @Test func `a full context ends the answer and says so`() throws {
    let session = try session(context: 14)
    let result = try session.generate(prompt: prompt, sampling: .greedy)
    #expect(result.stopReason == .contextFull)
    // Ten of the prompt, four taken in, and the fifth chosen from their logits.
    #expect(result.tokens.count == 5)
  }

  @Test func `a prompt longer than the context is an error with both numbers`() throws {
    let session = try session(context: 9)
    #expect(throws: InferenceError.promptTooLong(tokenCount: 10, contextLength: 9)) {
      try session.generate(prompt: prompt, sampling: .greedy)
    }
  }

  @Test func `an empty prompt and a token outside the vocabulary are errors`() throws {
    let session = try session()
    #expect(throws: InferenceError.emptyPrompt) {
      try session.generate(prompt: [], sampling: .greedy)
    }
    for token in [-1, 512, Int.max] {
      #expect(throws: InferenceError.tokenOutOfRange(token: token, vocabularySize: 512)) {
        try session.generate(prompt: [1, token], sampling: .greedy)
      }
    }
  }

  @Test func `a context that the model was not made for is refused`() throws {
    for length in [0, -1, 513] {
      #expect(throws: InferenceError.contextOutOfRange(asked: length, modelContext: 512)) {
        try session(context: length)
      }
    }
  }

  @Test func `cancelling keeps what is finished and the session works on`() throws {
    let session = try session(chunk: 2)
    var asked = 0
    let cut = try session.generate(
      prompt: prompt, sampling: .greedy, maximumTokens: 5,
      isCancelled: {
        asked += 1
        return asked > 8
      })
    #expect(cut.stopReason == .cancelled && cut.tokens.isEmpty)
    #expect(session.runner.tokens.count > 0 && session.runner.tokens.count < prompt.count)
    let whole = try session.generate(prompt: prompt, sampling: .greedy, maximumTokens: 5)
    #expect(whole.reusedTokenCount > 0)
    let fresh = try self.session().generate(prompt: prompt, sampling: .greedy, maximumTokens: 5)
    #expect(whole.tokens == fresh.tokens)
  }

  @Test func `a stop string ends the answer before itself`() throws {
    let free = try session().generate(prompt: prompt, sampling: .greedy, maximumTokens: 12)
    let characters = Array(free.text)
    try #require(characters.count >= 6)
    let stop = String(characters[3..<5])
    var shown = ""
    let cut = try session().generate(
      prompt: prompt, sampling: .greedy, maximumTokens: 12, stop: [stop], onText: { shown += $0 })
    #expect(cut.stopReason == .stopString && cut.stopString == stop)
    let range = try #require(free.text.range(of: stop))
    #expect(cut.text == String(free.text[..<range.lowerBound]) && shown == cut.text)
  }

  @Test func `the same seed gives the same text, another seed another`() throws {
    let plain = try SamplingSettings(temperature: 1.5)
    let everything = try SamplingSettings(
      temperature: 1.5, topK: 0, typicalP: 0.95, topNSigma: 3,
      xtc: ExcludedTopChoices(probability: 0.5, threshold: 0.05),
      penalties: RepetitionPenalties(repeat: 1.2, presence: 0.1, frequency: 0.1),
      dry: DRYPenalty(multiplier: 0.8), logitBias: [7: -.infinity])
    func tokens(_ settings: SamplingSettings, threads: Int) throws -> [Int] {
      let session = try GenerationSession(
        try loadFixture("qwen3moe-nano-F16"), options: .exact(threads: threads))
      return try session.generate(prompt: prompt, sampling: settings, maximumTokens: 20).tokens
    }
    for settings in [plain, everything] {
      let one = try tokens(settings.with(seed: 7), threads: 1)
      #expect(try tokens(settings.with(seed: 7), threads: 1) == one)
      #expect(try tokens(settings.with(seed: 7), threads: 2) == one)
      #expect(try tokens(settings.with(seed: 7), threads: 3) == one)
      #expect(try tokens(settings.with(seed: 8), threads: 1) != one)
    }
  }

  @Test func `penalties count the prompt's tokens, also those that the cache holds`() throws {
    let session = try session()
    func first(_ prompt: [Int], lastCount: Int) throws -> Int {
      let penalties = try RepetitionPenalties(presence: 1e6, lastCount: lastCount)
      let settings = try SamplingSettings(temperature: 0, penalties: penalties)
      return try session.generate(prompt: prompt, sampling: settings, maximumTokens: 1).tokens[0]
    }
    // The same prompt, whose first token is what the model wants to say.
    var wanting = prompt
    for _ in 0..<40 {
      let wanted = try first(wanting, lastCount: 0)
      if wanting[0] == wanted { break }
      wanting[0] = wanted
    }
    try #require(try first(wanting, lastCount: 0) == wanting[0])
    #expect(try first(wanting, lastCount: wanting.count - 1) == wanting[0])
    #expect(try first(wanting, lastCount: wanting.count) != wanting[0])
    #expect(try first(wanting, lastCount: -1) != wanting[0])
  }

  @Test func `an answer under a penalty for every token never repeats one`() throws {
    let penalties = try RepetitionPenalties(presence: 1e6, lastCount: -1)
    let settings = try SamplingSettings(temperature: 0, penalties: penalties)
    let result = try session().generate(prompt: prompt, sampling: settings, maximumTokens: 40)
    let all = prompt + result.tokens
    #expect(Set(all).count == all.count)
    let free = try session().generate(prompt: prompt, sampling: .greedy, maximumTokens: 40)
    #expect(Set(prompt + free.tokens).count < prompt.count + free.tokens.count)
  }

  @Test func `a bias for a token that the model lacks is refused before the prompt is read`() throws
  {
    let session = try session()
    for token in [-1, 512] {
      let settings = try SamplingSettings(logitBias: [token: 1])
      #expect(throws: SamplingError.biasOutsideVocabulary(tokenID: token, vocabularySize: 512)) {
        try session.generate(prompt: prompt, sampling: settings)
      }
    }
    #expect(session.runner.tokens.isEmpty)
  }

  @Test func `log-probabilities are the model's own, whatever is sampled`() throws {
    let settings = try SamplingSettings(temperature: 2, logitBias: [3: 1e6])
    let result = try session().generate(
      prompt: prompt, sampling: settings, topLogProbabilities: 4, maximumTokens: 3)
    #expect(result.tokens == [3, 3, 3] && result.logProbabilities.count == 3)
    let runner = try session().runner
    var logits = try runner.accept(prompt)
    for entry in result.logProbabilities {
      #expect(entry == (try LogProbabilities(logits.span, chosen: 3, count: 4)))
      logits = try runner.accept([3])
    }
    let silent = try session().generate(prompt: prompt, sampling: settings, maximumTokens: 3)
    #expect(silent.logProbabilities.isEmpty)
  }

  @Test func `perplexity is the mean of each token's surprise`() throws {
    let loaded = try loadFixture("mixtral-nano-F16")
    let runner = try SequenceRunner(model: loaded.model, options: .exact())
    let tokens = (0..<40).map { ($0 * 37 + 11) % 512 }
    var surprise = 0.0
    try runner.acceptEach(tokens) { index, logits in
      guard index + 1 < tokens.count else { return }
      let sum = logits.reduce(0.0) { $0 + exp(Double($1)) }
      surprise += log(sum) - Double(logits[tokens[index + 1]])
    }
    let whole = try Perplexity(of: tokens, runner: runner, windowLength: 64)
    #expect(whole.scoredTokenCount == 39)
    #expect(abs(whole.meanNegativeLogLikelihood - surprise / 39) < 1e-9)
    let windows = try Perplexity(of: tokens, runner: runner, windowLength: 8)
    #expect(windows.scoredTokenCount == 39)
    #expect(windows.meanNegativeLogLikelihood != whole.meanNegativeLogLikelihood)
    #expect(throws: InferenceError.textTooShort(tokenCount: 1)) {
      try Perplexity(of: [1], runner: runner, windowLength: 8)
    }
  }
}
