import Glibc
import Inference
import Sampling

/// A talk with a model: what was said, and the session that computes answers.
final class Conversation {
  let session: GenerationSession
  private let engine: ComputeEngine?
  private let format: PromptFormat
  private let sampling: SamplingSettings
  private let maximumTokens: Int?
  private let stop: [String]
  private(set) var system: String?
  private var messages: [ChatMessage] = []
  /// Answers so far: each draws from a seed of its own, one above the seed of the one before.
  private var answerCount: UInt64 = 0

  init(
    session: GenerationSession, engine: ComputeEngine? = nil, format: PromptFormat,
    generation: GenerationOptions, system: String?
  ) throws {
    self.engine = engine
    self.session = session
    self.format = format
    sampling = try generation.settings(session.loaded.file.metadata)
    maximumTokens = generation.maxTokens
    stop = generation.stop
    try setSystem(system)
  }

  /// Begins anew with another system message.
  /// - Throws: `PromptFormatError.noSystemMessage`.
  func setSystem(_ text: String?) throws {
    if let text { _ = try prompt([ChatMessage(.system, text), ChatMessage(.user, "")]) }
    system = text
    messages = []
  }

  func reset() { messages = [] }

  /// Takes up a conversation that was saved.
  ///
  /// - Parameter system: another system message than its own.
  /// - Throws: `PromptFormatError.noSystemMessage`.
  func restore(_ saved: SavedConversation, system: String?) throws {
    try setSystem(system ?? saved.system)
    messages = saved.answered.flatMap {
      [ChatMessage(.user, $0.question), ChatMessage(.assistant, $0.answer)]
    }
  }

  /// Forgets the last question and its answer; returns the question, nil where there is none.
  func dropLastTurn() -> String? {
    guard let index = messages.lastIndex(where: { $0.role == .user }) else { return nil }
    defer { messages.removeSubrange(index...) }
    return messages[index].content
  }

  /// Asks a question. The turn is remembered where the model answered, also where the user stopped
  /// it in the middle; a question without any answer is forgotten.
  func ask(
    _ question: String, to receiver: any AnswerReceiver, progress line: ProgressLine
  ) throws -> GenerationReport {
    let asked = messages + [ChatMessage(.user, question)]
    let settings = sampling.with(seed: sampling.seed &+ answerCount)
    let beginning = system.map { [ChatMessage(.system, $0)] } ?? []
    let tokens = try prompt(beginning + asked)
    try checkRoom(tokens.count, alone: prompt(beginning + asked.suffix(1)).count)
    let progress = session.progress(line, prompt: tokens)
    let before = engine?.live?.figures
    var harmony = format == .harmony ? HarmonyAnswer() : nil
    var result = try session.generate(
      prompt: tokens, sampling: settings, maximumTokens: maximumTokens, stop: stop,
      isCancelled: { progress.advanceAndAsk() || receiver.shouldStop() },
      onText: { receiver.take(.answer(harmony?.feed($0) ?? $0)) })
    if format == .harmony { result.text = HarmonyAnswer.final(in: result.text) }
    answerCount &+= 1
    if result.stopReason != .cancelled || !result.tokens.isEmpty {
      messages = asked + [ChatMessage(.assistant, result.text)]
    }
    return GenerationReport(
      result, sampling: settings, contextLength: session.contextLength,
      figures: before.flatMap { engine?.live?.figures.since($0) })
  }

  /// Tells a full conversation from a question that is too long by itself, which the session refuses.
  private func checkRoom(_ tokenCount: Int, alone: Int) throws {
    let room = session.contextLength
    guard tokenCount > room, alone <= room else { return }
    throw CommandFailure(
      "The conversation is full: with this question it has \(tokenCount) tokens, but the context "
        + "holds \(room). /reset forgets it, so that the question can be asked again; a larger "
        + "--context, where the model allows it, holds a longer one.")
  }

  private func prompt(_ messages: [ChatMessage]) throws -> [Int] {
    let tokenizer = session.loaded.tokenizer
    let pieces = try format.render(
      messages, bos: tokenizer.bosToken.flatMap(tokenizer.text(of:)),
      eos: tokenizer.eosToken.flatMap(tokenizer.text(of:)), date: Self.today)
    return tokenizer.encode(pieces)
  }

  /// The local date, as `2025-08-05`.
  private static var today: String {
    var now = time(nil)
    var parts = tm()
    localtime_r(&now, &parts)
    func digits(_ number: Int32) -> String { (number < 10 ? "0" : "") + String(number) }
    return "\(parts.tm_year + 1900)-\(digits(parts.tm_mon + 1))-\(digits(parts.tm_mday))"
  }
}
