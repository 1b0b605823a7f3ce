/// Renders a template once.
///
/// Statements are here; expressions in `Interpreter+Expressions.swift`, calls of macros and loops in
/// `Interpreter+Calls.swift`.
final class Interpreter {
  /// How a block of statements ended.
  enum Ending { case normal, `break`, `continue` }

  var variables: [String: Value]
  let now: ChatTemplateDate
  var budget: Budget
  /// Where rendering is, for messages.
  var position = Position()
  /// What has been written in the block at hand.
  var output: [UInt32] = []
  var depth = 0
  var callDepth = 0
  private var root: Scope?
  // Held so that a long chain of them is never released by recursion, and no circle stays behind.
  private var namespaces: [Namespace] = []
  private var macros: [Macro] = []
  private var sources: [ItemSource] = []
  private var loops: [LoopState] = []
  private var cyclers: [Cycler] = []

  init(variables: [String: Value], now: ChatTemplateDate, limits: ChatTemplateLimits) {
    self.variables = variables
    self.now = now
    budget = Budget(limits)
  }

  /// The whole text of a template.
  func render(_ template: Block) throws -> [UInt32] {
    let scope = Scope(template.frame, parent: nil, variables: variables)
    root = scope
    defer {
      scope.clear()
      root = nil
      for namespace in namespaces { namespace.values = [] }
      for macro in macros { macro.scope = nil }
      for source in sources { source.clear() }
      for loop in loops { loop.clear() }
      for cycler in cyclers { cycler.items = [] }
    }
    _ = try run(template.body, scope)
    return output
  }

  // MARK: Things with a state

  func keep(_ namespace: Namespace) -> Value {
    namespaces.append(namespace)
    return .namespace(namespace)
  }

  func keep(_ cycler: Cycler) -> Value {
    cyclers.append(cycler)
    return .cycler(cycler)
  }

  func keep(_ loop: LoopState) -> LoopState {
    loops.append(loop)
    return loop
  }

  func macro(_ definition: MacroDefinition, _ scope: Scope) -> Value {
    let macro = Macro(definition, scope)
    macros.append(macro)
    return .macro(macro)
  }

  /// Elements made when they are asked for, once.
  func iterator(_ produce: @escaping () throws -> [Value]) -> Value {
    let source = ItemSource { [unowned self] in
      try self.nested { try produce() }
    }
    sources.append(source)
    return .iterator(source)
  }

  func iterator(_ elements: [Value]) -> Value {
    let source = ItemSource(elements)
    sources.append(source)
    return .iterator(source)
  }

  // MARK: Limits

  /// Runs something one level deeper.
  func nested<Result>(_ body: () throws -> Result) throws -> Result {
    try budget.step()
    depth += 1
    defer { depth -= 1 }
    guard depth <= Budget.maximumDepth else {
      throw Failure.limit("calls and blocks are nested deeper than \(Budget.maximumDepth) levels")
    }
    return try body()
  }

  func write(_ text: Text) throws {
    try budget.make(text.count)
    output += text.units
    if output.count > 1 << 12 { try budget.check(output.count) }
  }

  /// Writes what a filter block or a call block gives; jinja2 joins those without printing them.
  private func write(block value: Value) throws {
    guard case .string(let text) = value else {
      throw Failure("this block must give a string, not a value of type \(value.typeName)")
    }
    try write(text)
  }

  /// What statements write, instead of writing it.
  func captured(_ body: () throws -> Ending) throws -> (text: Text, ending: Ending) {
    let saved = output
    output = []
    defer { output = saved }
    let ending = try body()
    return (Text(units: output), ending)
  }

  func scope(_ frame: Frame, in parent: Scope) -> Scope {
    Scope(frame, parent: parent, variables: variables)
  }

  // MARK: Statements

  func run(_ body: [Statement], _ scope: Scope) throws -> Ending {
    for statement in body {
      let ending = try nested { try run(statement, scope) }
      if ending != .normal { return ending }
    }
    return .normal
  }

  private func run(_ statement: Statement, _ scope: Scope) throws -> Ending {
    position = statement.position
    switch statement.kind {
    case .data(let units): try write(Text(units: units))
    case .output(let expression): try write(try evaluate(expression, scope).printed())
    case .if(let branches, let otherwise):
      for branch in branches where try evaluate(branch.test, scope).isTrue {
        return try run(branch.body, scope)
      }
      return try run(otherwise, scope)
    case .for(let loop): return try run(loop, scope)
    case .set(let target, let expression): try set(target, expression, scope)
    case .setBlock(let target, let filter, let block):
      return try set(target, filter, block, scope, at: statement.position)
    case .macro(let definition):
      scope.set(definition.name ?? "", to: macro(definition, scope))
    case .call(let body, let call): try write(block: try self.call(call, caller: body, scope))
    case .filter(let filter, let block):
      let inner = self.scope(block.frame, in: scope)
      let (text, ending) = try captured { try run(block.body, inner) }
      if ending != .normal { return ending }
      try write(block: try evaluate(filter, inner, input: .string(text)))
    case .with(let assignments, let block):
      let inner = self.scope(block.frame, in: scope)
      for (target, value) in assignments { try assign(try evaluate(value, scope), target, inner) }
      return try run(block.body, inner)
    case .generation(let definition):
      guard case .macro(let body) = macro(definition, scope) else { break }
      try write(try call(body, Arguments()))
    case .block(let block):
      _ = try run(block.body, self.scope(block.frame, in: root ?? scope))
    case .break: return .break
    case .continue: return .continue
    case .unavailable(let name):
      throw Failure("'\(name)' needs another template, and a model file has only one")
    }
    return .normal
  }

  // MARK: Assignments

  private func set(_ target: Target, _ expression: Expression, _ scope: Scope) throws {
    for name in target.namespaces {
      guard case .namespace = scope.value(of: name, variables) else {
        throw Failure("'\(name)' is no namespace, so that it can be given no attribute")
      }
    }
    try assign(try evaluate(expression, scope), target, scope)
  }

  private func set(
    _ target: Target, _ filter: Expression?, _ block: Block, _ scope: Scope, at start: Position
  ) throws -> Ending {
    let inner = self.scope(block.frame, in: scope)
    let (text, ending) = try captured { try run(block.body, inner) }
    if ending != .normal { return ending }
    position = start
    let value = Value.string(text)
    let result = try filter.map { try evaluate($0, inner, input: value) } ?? value
    try assign(result, target, scope)
    return .normal
  }

  func assign(_ value: Value, _ target: Target, _ scope: Scope) throws {
    switch target {
    case .name(let name): scope.set(name, to: value)
    case .attribute(let name, let attribute):
      guard case .namespace(let namespace) = scope.value(of: name, variables) else {
        throw Failure("'\(name)' is no namespace, so that it can be given no attribute")
      }
      namespace.set(Text(attribute), to: value)
    case .tuple(let targets):
      let elements = try value.elements()
      guard elements.count == targets.count else {
        throw Failure("\(targets.count) names cannot be given \(elements.count) values")
      }
      for (target, element) in zip(targets, elements) { try assign(element, target, scope) }
    }
  }
}
