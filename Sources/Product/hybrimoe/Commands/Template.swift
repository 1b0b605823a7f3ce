import ArgumentParser
import ChatTemplates
import GGUF
import Inference
import OrderedJSON
import Tokenizers

/// Writes a conversation as a model's chat template does.
struct Template: LookingCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a conversation as a chat template does.",
    discussion: """
      The messages are a JSON array of objects with "role", "content" and whatever else the template \
      reads. The prompt is printed exactly, without a line break of its own.
      """)

  @OptionGroup(title: "Model") var model: ModelOptions

  @Option(
    parsing: .unconditional,
    help: .init(
      "A chat template, in the Jinja language; without a model it sees no names of tokens but those "
        + "in --kwargs.", valueName: "file"))
  var chatTemplateFile: String?

  @Option(
    parsing: .unconditional,
    help: .init("The messages, a JSON array; - reads standard input.", valueName: "file"))
  var messages: String?

  @Option(
    parsing: .unconditional,
    help: .init(
      "Descriptions of functions that the model may call, a JSON array.", valueName: "file"))
  var tools: String?

  @Flag(help: "End behind the last message, not where the next answer begins.")
  var noGenerationPrompt = false

  @Option(
    parsing: .unconditional,
    help: .init(
      "Further variables of the template, a JSON object: {\"enable_thinking\":false}.",
      valueName: "json"))
  var kwargs: String?

  /// Many cases at once, one JSON object a line, for comparisons with other implementations.
  @Option(parsing: .unconditional, help: .hidden) var cases: String?

  @OptionGroup(title: "Looking") var looking: LookingOptions

  func run() throws {
    if let cases { return try TemplateCases.run(InputFile.text(cases)) }
    guard let messages else {
      throw ValidationError("Give the messages with --messages; --messages - reads standard input.")
    }
    let console = looking.console
    let format = try format(console)
    let pieces = try format.render(
      try Self.document(messages), tools: try tools.map(Self.document),
      opensAnswer: !noGenerationPrompt, options: try options(), now: .now)
    let prompt = pieces.map(\.text).joined()
    let output = OutputStream.standardOutput
    try output.write(
      looking.json ? JSONValue.object([("prompt", .string(prompt))]).text + "\n" : prompt)
    if looking.stats {
      let input = pieces.filter(\.isFromInput).map(\.text.utf8.count).reduce(0, +)
      console.note("\(prompt.utf8.count) bytes, \(input) of them from the messages")
    }
  }

  private func format(_ console: Console) throws -> ConversationFormat {
    if let chatTemplateFile, !model.isGiven {
      return try ConversationFormat(
        template: InputFile.description(chatTemplateFile), bos: nil, eos: nil)
    }
    let (file, tokenizer) = try model.fileAndTokenizer(console: console)
    let template = try ContextOptions.template(chatTemplateFile, in: file)
    return try ConversationFormat(template: template, tokenizer: tokenizer)
  }

  private func options() throws -> [(String, JSONValue)] {
    guard let kwargs else { return [] }
    do {
      guard case .object(let members) = try JSONValue(parsing: kwargs) else {
        throw ValidationError("--kwargs must be a JSON object.")
      }
      return members
    } catch let error as JSONError {
      throw ValidationError("--kwargs is no JSON: \(error)")
    }
  }

  private static func document(_ path: String) throws -> JSONValue {
    let text = try InputFile.text(path)
    do {
      let document = try JSONValue(parsing: text)
      guard case .array = document else {
        throw CommandFailure("'\(path)' must hold a JSON array.")
      }
      return document
    } catch let error as JSONError {
      throw CommandFailure("'\(path)' is no JSON: \(error)")
    }
  }
}

/// Templates and what they see, one JSON object a line, rendered in one go.
enum TemplateCases {
  /// Prints `{"text":…}` or `{"error":…,"line":…,"column":…}` for each line.
  /// A line without a template means the one of the line before.
  static func run(_ text: String) throws {
    let output = OutputStream.standardOutput
    var template = Result<ChatTemplate, ChatTemplateError> { () throws(ChatTemplateError) in
      try ChatTemplate("")
    }
    for line in text.split(separator: "\n") {
      let root = JSONNode(try JSONValue(parsing: line))
      if let source = try root.optional("template")?.string() {
        template = Result { () throws(ChatTemplateError) in try ChatTemplate(source) }
      }
      try output.write(JSONValue.object(try outcome(of: root, template)).text + "\n")
    }
  }

  private static func outcome(
    of root: JSONNode, _ template: Result<ChatTemplate, ChatTemplateError>
  ) throws -> [(String, JSONValue)] {
    let variables = try root["variables"].members().map { name, node in
      (name: name, value: ChatTemplateInput.input(node.value))
    }
    let now = try root["now"].elements().map { try $0.integer(in: 0...9999) }
    guard now.count == 6 else { throw CommandFailure("'now' needs six numbers.") }
    let date = ChatTemplateDate(
      year: now[0], month: now[1], day: now[2], hour: now[3], minute: now[4], second: now[5])
    do {
      let pieces = try template.get().render(variables, now: date)
      return [("text", .string(pieces.map(\.text).joined()))]
    } catch {
      return [
        ("error", .string(error.message)), ("reason", .string(error.reason.rawValue)),
        ("line", .integer(error.line)), ("column", .integer(error.column)),
      ]
    }
  }
}
