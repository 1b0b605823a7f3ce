import ChatTemplates
import OrderedJSON
import Sampling
import Tokenizers

/// One turn of a conversation.
public struct ChatMessage: Sendable, Equatable {
  public enum Role: String, Sendable {
    case system, user, assistant
  }

  public var role: Role
  public var content: String
  /// What an assistant thought before it answered; templates that want it back find it as
  /// `reasoning_content`.
  public var reasoning: String?

  public init(_ role: Role, _ content: String, reasoning: String? = nil) {
    self.role = role
    self.content = content
    self.reasoning = reasoning
  }

  /// The message as templates read it.
  public var json: JSONValue {
    var members: [(String, JSONValue)] = [
      ("role", .string(role.rawValue)), ("content", .string(content)),
    ]
    if let reasoning, !reasoning.isEmpty {
      members.append(("reasoning_content", .string(reasoning)))
    }
    return .object(members)
  }
}

/// Why a conversation cannot be written for a model.
public enum ConversationFormatError: Error, Equatable, Sendable {
  case noTemplate
  case noSystemMessage
}

extension ConversationFormatError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .noTemplate:
      "The model has no chat template (tokenizer.chat_template), so it was probably not trained to "
        + "chat. Use 'hybrimoe run' to continue a text, or give a template with "
        + "--chat-template-file."
    case .noSystemMessage:
      "The model's chat template has no place for a system message; "
        + "put the instruction into the first question instead."
    }
  }
}

/// How a model wants a conversation to be written: its chat template, and what the template sees.
public struct ConversationFormat: Sendable {
  private let template: ChatTemplate
  private let bos: String?
  private let eos: String?
  /// How the model marks its thoughts.
  public let reasoning: ReasoningMarks?

  /// - Parameters:
  ///   - template: the text of the template.
  ///   - bos, eos: names of the tokens that begin and end a text; nil where there is none.
  /// - Throws: `ChatTemplateError`, where the template is wrong.
  public init(template: String, bos: String?, eos: String?) throws(ChatTemplateError) {
    self.template = try ChatTemplate(template)
    self.bos = bos
    self.eos = eos
    reasoning = ReasoningMarks(template: template)
  }

  /// A model's template, or another one for the model's vocabulary.
  public init(template: String, tokenizer: Tokenizer) throws(ChatTemplateError) {
    try self.init(
      template: template, bos: tokenizer.bosToken.flatMap(tokenizer.text(of:)),
      eos: tokenizer.eosToken.flatMap(tokenizer.text(of:)))
  }

  /// What the template writes for a conversation.
  ///
  /// - Parameters:
  ///   - messages: an array of objects with `role`, `content` and whatever else the template reads.
  ///   - tools: an array of descriptions of functions, or nil.
  ///   - opensAnswer: whether the prompt ends where the model's next answer begins.
  ///   - options: further variables, such as `enable_thinking`.
  ///   - now: the local time, which some templates tell the model.
  /// - Throws: `ChatTemplateError`.
  public func render(
    _ messages: JSONValue, tools: JSONValue? = nil, opensAnswer: Bool = true,
    options: [(String, JSONValue)] = [], now: ChatTemplateDate
  ) throws(ChatTemplateError) -> [ChatTemplatePiece] {
    var variables: [(name: String, value: ChatTemplateInput)] = [
      ("messages", .input(messages)), ("tools", .input(tools ?? .null)),
      ("documents", .input(.null)), ("add_generation_prompt", .flag(opensAnswer)),
    ]
    if let bos { variables.append(("bos_token", .vocabulary(bos))) }
    if let eos { variables.append(("eos_token", .vocabulary(eos))) }
    variables += options.map { ($0.0, .input($0.1)) }
    return try template.render(variables, now: now)
  }

  /// What the template writes for a talk, up to where the next answer begins.
  public func render(
    _ messages: [ChatMessage], now: ChatTemplateDate
  ) throws(ChatTemplateError) -> [ChatTemplatePiece] {
    try render(.array(messages.map(\.json)), now: now)
  }

  /// Refuses a system message for which the template has no place: one that it does not accept, or
  /// does not write.
  ///
  /// - Throws: `ConversationFormatError.noSystemMessage`, or `ChatTemplateError` where the template
  ///   fails without a system message too.
  public func checkSystemMessage(_ text: String, now: ChatTemplateDate) throws {
    let question = ChatMessage(.user, "?")
    _ = try render([question], now: now)
    guard let pieces = try? render([ChatMessage(.system, text), question], now: now) else {
      throw ConversationFormatError.noSystemMessage
    }
    let written = pieces.filter(\.isFromInput).map(\.text).joined()
    let words = text.split(whereSeparator: \.isWhitespace)
    guard words.allSatisfy(written.contains) else { throw ConversationFormatError.noSystemMessage }
  }
}

extension Tokenizer {
  /// The tokens of a prompt: control tokens are read in what the template wrote, never in what came
  /// with the messages. Where the vocabulary asks for a token that begins every text, it is there
  /// once, whether or not the template wrote it.
  public func encode(_ pieces: [ChatTemplatePiece]) -> [Int] {
    var tokens = encode(pieces.map { TextSpan($0.text, readsControlTokens: !$0.isFromInput) })
    if addsBOS, let bosToken, tokens.first != bosToken { tokens.insert(bosToken, at: 0) }
    return tokens
  }
}
