import ChatTemplates
import Glibc
import Inference
import Sampling

/// A talk with a model: what was said, and the session that computes answers.
final class Conversation {
  let session: GenerationSession
  private let engine: ComputeEngine?
  private let format: ConversationFormat
  private let sampling: SamplingSettings
  private let maximumTokens: Int?
  private let stop: [String]
  private(set) var system: String?
  private var messages: [ChatMessage] = []
  /// Answers so far: each draws from a seed of its own, one above the seed of the one before.
  private var answerCount: UInt64 = 0

  init(
    session: GenerationSession, engine: ComputeEngine? = nil, format: ConversationFormat,
    generation: GenerationOptions, system: String?
  ) throws {
    self.engine = engine
    self.session = session
    self.format = format
    sampling = try generation.settings(session.loaded.file.metadata)
    maximumTokens = generation.maxTokens
    stop = generation.stop
    session.shownTokens = Set(
      (format.reasoning?.tokenNames ?? []).compactMap(session.loaded.tokenizer.id(of:)))
    try setSystem(system)
  }

  /// Begins anew with another system message.
  /// - Throws: `ConversationFormatError.noSystemMessage`.
  func setSystem(_ text: String?) throws {
    if let text { try format.checkSystemMessage(text, now: .now) }
    system = text
    messages = []
  }

  func reset() { messages = [] }

  /// Takes up a conversation that was saved.
  ///
  /// - Parameter system: another system message than its own.
  /// - Throws: `ConversationFormatError.noSystemMessage`.
  func restore(_ saved: SavedConversation, system: String?) throws {
    try setSystem(system ?? saved.system)
    messages = saved.answered.flatMap {
      [
        ChatMessage(.user, $0.question),
        ChatMessage(.assistant, $0.answer, reasoning: $0.reasoning),
      ]
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
    let (tokens, end) = try prompt(beginning + asked)
    try checkRoom(tokens.count, alone: prompt(beginning + asked.suffix(1)).tokens.count)
    let progress = session.progress(line, prompt: tokens)
    let before = engine?.live?.figures
    var splitter = ReasoningSplitter(format.reasoning, promptEnd: end)
    var result = try session.generate(
      prompt: tokens, sampling: settings, maximumTokens: maximumTokens, stop: stop,
      isCancelled: { progress.advanceAndAsk() || receiver.shouldStop() },
      onText: { for part in splitter.feed($0) { receiver.take(AnswerPiece(part)) } })
    for part in splitter.finish() { receiver.take(AnswerPiece(part)) }
    let (reasoning, answer) = ReasoningSplitter.split(
      result.text, format.reasoning, promptEnd: end)
    result.text = answer
    answerCount &+= 1
    if !answer.isEmpty {
      messages = asked + [ChatMessage(.assistant, answer, reasoning: reasoning)]
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

  /// The prompt of a talk, and the end of it that the template wrote.
  private func prompt(_ messages: [ChatMessage]) throws -> (tokens: [Int], end: String) {
    let pieces = try format.render(messages, now: .now)
    let end = pieces.last.map { $0.isFromInput ? "" : $0.text } ?? ""
    return (session.loaded.tokenizer.encode(pieces), end)
  }
}

extension AnswerPiece {
  fileprivate init(_ part: ReasoningSplitter.Part) {
    self = part.isReasoning ? .reasoning(part.text) : .answer(part.text)
  }
}

extension ChatTemplateDate {
  /// The local date and time.
  static var now: ChatTemplateDate {
    var now = time(nil)
    var parts = tm()
    localtime_r(&now, &parts)
    return ChatTemplateDate(
      year: Int(parts.tm_year) + 1900, month: Int(parts.tm_mon) + 1, day: Int(parts.tm_mday),
      hour: Int(parts.tm_hour), minute: Int(parts.tm_min), second: Int(parts.tm_sec))
  }
}
