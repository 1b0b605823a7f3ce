import OrderedJSON

/// A chat template as model files carry it: a program in the Jinja language that writes a
/// conversation as the text which the model was trained on.
///
/// The language is jinja2's as Hugging Face's `apply_chat_template` sets it up: a sandbox in which
/// nothing can be changed, `trim_blocks` and `lstrip_blocks`, `break` and `continue`, `generation`
/// blocks, `raise_exception`, `strftime_now` and a `tojson` that keeps keys in order and leaves text
/// as it is. What is not there: other templates (`include`, `import`, `extends`), `autoescape`, and
/// filters for web pages or chance; using them is an error.
///
/// Templates come from strangers. Nothing a template does traps or exhausts the stack, and limits end
/// what would run too long or grow too large.
public struct ChatTemplate: Sendable {
  private let program: Block

  /// Reads a template.
  /// - Throws: `ChatTemplateError` with the place of the first mistake.
  public init(_ source: String) throws(ChatTemplateError) {
    do {
      program = try Parser.parse(source)
    } catch let error as ChatTemplateError {
      throw error
    } catch {
      throw ChatTemplateError(reason: .syntax, line: 1, column: 1, message: "\(error)")
    }
  }

  /// The text of a conversation, in pieces that say where they come from.
  ///
  /// - Parameters:
  ///   - variables: what the template can see by name; later ones replace earlier ones.
  ///   - now: what `strftime_now` writes.
  /// - Throws: `ChatTemplateError`.
  public func render(
    _ variables: [(name: String, value: ChatTemplateInput)], now: ChatTemplateDate,
    limits: ChatTemplateLimits = ChatTemplateLimits()
  ) throws(ChatTemplateError) -> [ChatTemplatePiece] {
    var names: [String: Value] = [:]
    for name in Globals.names { names[name] = .function(name) }
    let interpreter: Interpreter
    do {
      for (name, input) in variables { names[name] = try Value(input.json, input.origin) }
      interpreter = Interpreter(variables: names, now: now, limits: limits)
    } catch {
      throw Self.error(error, Position())
    }
    do {
      return ChatTemplatePiece.pieces(of: try interpreter.render(program))
    } catch {
      throw Self.error(error, interpreter.position)
    }
  }

  private static func error(_ error: any Error, _ position: Position) -> ChatTemplateError {
    let failure = error as? Failure
    return ChatTemplateError(
      reason: failure?.reason ?? .rendering, line: position.line, column: position.column,
      message: failure?.message ?? "\(error)")
  }
}

/// A value that a template can see.
public struct ChatTemplateInput: Sendable {
  enum Origin {
    /// Its strings came from outside and never become control tokens.
    case input
    /// Its strings are as good as the template's own: names of tokens.
    case template
  }

  let json: JSONValue
  let origin: Origin

  /// What users, tools and documents say. Names of roles are taken for the template's own where they
  /// are well known, because templates make tokens of them (`<|user|>`).
  public static func input(_ json: JSONValue) -> ChatTemplateInput {
    ChatTemplateInput(json: json, origin: .input)
  }

  /// What the model's vocabulary says, such as the name of the token that begins a text.
  public static func vocabulary(_ text: String) -> ChatTemplateInput {
    ChatTemplateInput(json: .string(text), origin: .template)
  }

  /// A switch, such as `add_generation_prompt`.
  public static func flag(_ isOn: Bool) -> ChatTemplateInput {
    ChatTemplateInput(json: .bool(isOn), origin: .template)
  }
}

/// A part of a rendered prompt.
public struct ChatTemplatePiece: Sendable, Equatable {
  public var text: String
  /// Whether it came with the messages, so that nothing in it may become a control token.
  public var isFromInput: Bool

  public init(_ text: String, isFromInput: Bool) {
    self.text = text
    self.isFromInput = isFromInput
  }

  static func pieces(of units: [UInt32]) -> [ChatTemplatePiece] {
    var pieces: [ChatTemplatePiece] = []
    var start = 0
    while start < units.count {
      var end = start + 1
      while end < units.count, units[end].mark == units[start].mark { end += 1 }
      pieces.append(
        ChatTemplatePiece(Text.string(of: units[start..<end]), isFromInput: units[start].mark != 0))
      start = end
    }
    return pieces
  }
}

extension Value {
  /// Roles that templates may write as parts of control tokens.
  private static let roles: Set<String> = [
    "system", "user", "assistant", "tool", "developer", "function", "model", "human", "gpt", "bot",
    "ipython", "observation", "tool_response", "tool_call", "root", "environment",
    "latest_reminder",
  ]

  init(_ json: JSONValue, _ origin: ChatTemplateInput.Origin, depth: Int = 0) throws {
    switch json {
    case .null: self = .none
    case .bool(let bool): self = .bool(bool)
    case .integer(let number): self = .integer(Int128(number))
    case .unsigned(let number): self = .integer(Int128(number))
    case .float(let number): self = .float(Double(number))
    case .double(let number): self = .float(number)
    case .string(let text): self = .string(origin == .input ? Text(input: text) : Text(text))
    case .array(let elements):
      guard depth < Items.maximumDepth else {
        throw Failure.limit("values are nested deeper than \(Items.maximumDepth) levels")
      }
      self = try .list(elements.map { try Value($0, origin, depth: depth + 1) })
    case .object(let members):
      guard depth < Items.maximumDepth else {
        throw Failure.limit("values are nested deeper than \(Items.maximumDepth) levels")
      }
      let pairs = try members.map { name, member -> (Value, Value) in
        let key = Value.string(origin == .input ? Text(input: name) : Text(name))
        if name == "role", case .string(let role) = member, Self.roles.contains(role) {
          return (key, .text(role))
        }
        return (key, try Value(member, origin, depth: depth + 1))
      }
      self = .dictionary(try Dictionary(pairs))
    }
  }
}
