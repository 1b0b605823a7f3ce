/// Reads statements; expressions are read in `Parser+Expressions.swift`.
///
/// Grammar and its odd corners are those of jinja2 3.1 (`parser.py`).
struct Parser {
  /// How deep blocks may be nested, so that neither reading nor rendering exhausts the stack.
  static let maximumBlockDepth = 60
  /// How deep expressions may be nested.
  static let maximumExpressionDepth = 120

  private let tokens: [Token]
  private var index = 0
  private var blockDepth = 0
  var expressionDepth = 0
  /// Loops around the statement that `break` could leave; macros begin anew.
  private var loopDepth = 0
  /// Whether unknown filters and tests are an error only when they are used: within `if`.
  var isSoft = false
  /// Filters and tests that do not exist, in what is being read.
  var unknownNames: [ChatTemplateError] = []
  private var blockNames: Set<String> = []

  static func parse(_ template: String) throws -> Block {
    var parser = Parser(tokens: try Lexer.tokens(of: template))
    let body = try parser.statements(until: [], of: nil)
    if let unknown = parser.unknownNames.first { throw unknown }
    return Block(body, Frame(parameters: [], body: body))
  }

  private init(tokens: [Token]) { self.tokens = tokens }

  // MARK: Tokens

  var current: Token { tokens[index] }
  var next: Token { tokens[min(index + 1, tokens.count - 1)] }

  mutating func advance() { if index + 1 < tokens.count { index += 1 } }

  func isSign(_ sign: String) -> Bool { current.kind == .sign(sign) }

  func isName(_ name: String) -> Bool { current.kind == .name(name) }

  mutating func skip(sign: String) -> Bool {
    guard isSign(sign) else { return false }
    advance()
    return true
  }

  mutating func skip(name: String) -> Bool {
    guard isName(name) else { return false }
    advance()
    return true
  }

  mutating func expect(sign: String) throws {
    guard skip(sign: sign) else { throw unexpected("'\(sign)'") }
  }

  mutating func expectName(_ what: String = "a name") throws -> String {
    guard case .name(let name) = current.kind else { throw unexpected(what) }
    advance()
    return name
  }

  func unexpected(_ expected: String) -> ChatTemplateError {
    current.position.error("expected \(expected), found \(current.description)")
  }

  // MARK: Statements

  /// Statements up to one of some tags, whose name is then the current token.
  private mutating func statements(
    until ends: [String], of opening: Token?
  ) throws -> [Statement] {
    guard blockDepth < Self.maximumBlockDepth else {
      throw current.position.error("blocks are nested deeper than \(Self.maximumBlockDepth) levels")
    }
    blockDepth += 1
    defer { blockDepth -= 1 }
    var body: [Statement] = []
    while true {
      let position = current.position
      switch current.kind {
      case .data(let units):
        body.append(Statement(kind: .data(units), position: position))
        advance()
      case .variableBegin:
        advance()
        body.append(Statement(kind: .output(try tuple()), position: position))
        guard current.kind == .variableEnd else { throw unexpected("'}}'") }
        advance()
      case .blockBegin:
        advance()
        if case .name(let name) = current.kind, ends.contains(name) { return body }
        body += try statement(ends)
        guard current.kind == .blockEnd else { throw unexpected("'%}'") }
        advance()
      case .end:
        if let opening {
          let wanted = ends.map { "{% \($0) %}" }.joined(separator: " or ")
          throw opening.position.error("\(opening.description) has no end; \(wanted) is missing")
        }
        return body
      default: throw unexpected("text or a tag")
      }
    }
  }

  /// The block of a tag: its end, then statements up to one of some tags, whose name is consumed.
  mutating func block(
    of opening: Token, until ends: [String]
  ) throws -> (body: [Statement], end: String) {
    _ = skip(sign: ":")
    guard current.kind == .blockEnd else { throw unexpected("'%}'") }
    advance()
    let body = try statements(until: ends, of: opening)
    return (body, try expectName())
  }

  /// The same, where only one tag can end it.
  private mutating func body(of opening: Token, until end: String) throws -> [Statement] {
    try block(of: opening, until: [end]).body
  }

  /// The body of something that is a function of its own: no loop outside of it can be left.
  private mutating func isolatedBody(of opening: Token, until end: String) throws -> [Statement] {
    let saved = (loopDepth, isSoft)
    defer { (loopDepth, isSoft) = saved }
    (loopDepth, isSoft) = (0, false)
    return try body(of: opening, until: end)
  }

  /// The filters of a block, which must exist wherever the block stands.
  private mutating func hardFilters(isStarted: Bool) throws -> Expression {
    let saved = isSoft
    defer { isSoft = saved }
    isSoft = false
    return try filters(of: nil, isStarted: isStarted)
  }

  private mutating func hardBody(of opening: Token, until end: String) throws -> [Statement] {
    let saved = isSoft
    defer { isSoft = saved }
    isSoft = false
    return try body(of: opening, until: end)
  }

  private mutating func statement(_ ends: [String]) throws -> [Statement] {
    let opening = current
    let name = try expectName("the name of a tag")
    let position = opening.position
    func one(_ kind: Statement.Kind) -> [Statement] { [Statement(kind: kind, position: position)] }
    switch name {
    case "if": return one(try ifStatement(opening))
    case "for": return one(.for(try forLoop(opening)))
    case "set": return one(try set(opening))
    case "macro":
      let name = try expectName()
      try checkAssignable(name, position)
      return one(.macro(try macro(opening, name: name, until: "endmacro")))
    case "call": return one(try callBlock(opening))
    case "filter":
      let filter = try hardFilters(isStarted: true)
      let body = try hardBody(of: opening, until: "endfilter")
      return one(.filter(filter, Block(body, Frame(parameters: [], loads: [filter], body: body))))
    case "with": return one(try with(opening))
    case "generation":
      let body = try isolatedBody(of: opening, until: "endgeneration")
      return one(
        .generation(MacroDefinition(name: nil, parameters: [], defaults: [], body: body)))
    case "block": return one(try templateBlock(opening))
    case "print": return try printStatement(position)
    case "break", "continue":
      guard loopDepth > 0 else { throw position.error("'\(name)' stands outside of a loop") }
      return one(name == "break" ? .break : .continue)
    case "include", "import", "from", "extends":
      while current.kind != .blockEnd, current.kind != .end { advance() }
      return one(.unavailable(name))
    case "autoescape": throw position.error("'autoescape' is not available in a chat template")
    default:
      let expected = ends.isEmpty ? "" : "; expected \(ends.joined(separator: " or "))"
      throw position.error("there is no tag '\(name)'\(expected)")
    }
  }

  private mutating func printStatement(_ position: Position) throws -> [Statement] {
    var statements: [Statement] = []
    while current.kind != .blockEnd {
      if !statements.isEmpty { try expect(sign: ",") }
      statements.append(Statement(kind: .output(try expression()), position: position))
    }
    return statements
  }

  private mutating func ifStatement(_ opening: Token) throws -> Statement.Kind {
    let saved = isSoft
    isSoft = true
    defer { isSoft = saved }
    var branches: [(test: Expression, body: [Statement])] = []
    while true {
      let test = try tuple(allowsConditional: false)
      let (body, end) = try block(of: opening, until: ["elif", "else", "endif"])
      branches.append((test, body))
      switch end {
      case "elif": continue
      case "else": return .if(branches, otherwise: try self.body(of: opening, until: "endif"))
      default: return .if(branches, otherwise: [])
      }
    }
  }

  private mutating func forLoop(_ opening: Token) throws -> ForLoop {
    let target = try assignmentTarget(allowsAttributes: false, until: "in")
    guard skip(name: "in") else { throw unexpected("'in'") }
    let source = try tuple(allowsConditional: false, until: "recursive")
    let wasSoft = isSoft
    isSoft = false
    defer { isSoft = wasSoft }
    let filter = skip(name: "if") ? try expression() : nil
    let isRecursive = skip(name: "recursive")
    loopDepth += 1
    var (body, end) = try block(of: opening, until: ["endfor", "else"])
    loopDepth -= 1
    var otherwise: [Statement]?
    if end == "else" {
      // A recursive loop is a function of its own, whose else branch no outer loop's end can leave.
      let outer = loopDepth
      if isRecursive { loopDepth = 0 }
      otherwise = try self.body(of: opening, until: "endfor")
      loopDepth = outer
      end = "endfor"
    }
    if target.names.contains("loop") || LoopAssignments.exist(in: body + (otherwise ?? [])) {
      throw opening.position.error("'loop' cannot be given a value within a loop")
    }
    return ForLoop(
      target: target, source: source, filter: filter, isRecursive: isRecursive, body: body,
      otherwise: otherwise)
  }

  private mutating func set(_ opening: Token) throws -> Statement.Kind {
    let target = try assignmentTarget(allowsAttributes: true, until: nil)
    if skip(sign: "=") { return .set(target, try tuple()) }
    let filter = isSign("|") ? try hardFilters(isStarted: false) : nil
    let body = try hardBody(of: opening, until: "endset")
    return .setBlock(target, filter: filter, Block(body, Frame(parameters: [], body: body)))
  }

  private mutating func with(_ opening: Token) throws -> Statement.Kind {
    var assignments: [(target: Target, value: Expression)] = []
    while current.kind != .blockEnd {
      if !assignments.isEmpty { try expect(sign: ",") }
      let target = try assignmentTarget(allowsAttributes: false, until: nil)
      try expect(sign: "=")
      assignments.append((target, try expression()))
    }
    let body = try hardBody(of: opening, until: "endwith")
    let names = assignments.flatMap(\.target.names)
    return .with(assignments, Block(body, Frame(parameters: names, body: body)))
  }

  private mutating func templateBlock(_ opening: Token) throws -> Statement.Kind {
    let name = try expectName()
    _ = skip(name: "scoped")
    guard !skip(name: "required") else {
      throw opening.position.error("a required block needs another template, which there is not")
    }
    guard blockNames.insert(name).inserted else {
      throw opening.position.error("there are two blocks '\(name)'")
    }
    let body = try isolatedBody(of: opening, until: "endblock")
    _ = skip(name: name)
    return .block(Block(body, Frame(parameters: [], body: body)))
  }

  // MARK: Macros

  private mutating func macro(
    _ opening: Token, name: String?, until end: String
  ) throws -> MacroDefinition {
    let (parameters, defaults) = try signature()
    let body = try isolatedBody(of: opening, until: end)
    return try definition(opening, name, parameters, defaults, body)
  }

  private func definition(
    _ opening: Token, _ name: String?, _ parameters: [String], _ defaults: [Expression],
    _ body: [Statement]
  ) throws -> MacroDefinition {
    if let caller = parameters.firstIndex(of: "caller"),
      caller < parameters.count - defaults.count,
      UndeclaredNames.find(["caller"], in: body).contains("caller")
    {
      throw opening.position.error("a parameter 'caller' needs a default value")
    }
    if Set(parameters).count < parameters.count {
      throw opening.position.error("two parameters have the same name")
    }
    return MacroDefinition(name: name, parameters: parameters, defaults: defaults, body: body)
  }

  private mutating func signature() throws -> ([String], [Expression]) {
    let wasSoft = isSoft
    isSoft = false
    defer { isSoft = wasSoft }
    var parameters: [String] = []
    var defaults: [Expression] = []
    try expect(sign: "(")
    while !isSign(")") {
      if !parameters.isEmpty { try expect(sign: ",") }
      let position = current.position
      let name = try expectName()
      try checkAssignable(name, position)
      if skip(sign: "=") {
        defaults.append(try expression())
      } else if !defaults.isEmpty {
        throw position.error("a parameter without a default follows one that has a default")
      }
      parameters.append(name)
    }
    try expect(sign: ")")
    return (parameters, defaults)
  }

  private mutating func callBlock(_ opening: Token) throws -> Statement.Kind {
    let (parameters, defaults) = isSign("(") ? try signature() : ([], [])
    let call = try expression()
    guard case .call = call.kind else {
      throw opening.position.error("a call block needs the call of a macro")
    }
    let body = try isolatedBody(of: opening, until: "endcall")
    return .call(try definition(opening, nil, parameters, defaults, body), call)
  }
}

/// Whether statements give the name `loop` a value, at any depth.
enum LoopAssignments {
  static func exist(in body: [Statement]) -> Bool {
    body.contains { statement in
      switch statement.kind {
      case .data, .output, .break, .continue, .unavailable: false
      case .if(let branches, let otherwise):
        branches.contains { exist(in: $0.body) } || exist(in: otherwise)
      case .for(let loop):
        loop.target.names.contains("loop") || exist(in: loop.body.body)
          || exist(in: loop.otherwise?.body ?? [])
      case .set(let target, _): target.names.contains("loop")
      case .setBlock(let target, _, let block):
        target.names.contains("loop") || exist(in: block.body)
      case .macro(let macro), .call(let macro, _), .generation(let macro):
        exist(in: macro.body.body)
      case .filter(_, let block), .with(_, let block), .block(let block): exist(in: block.body)
      }
    }
  }
}
