/// The names of a scope, and what they are when it begins.
///
/// jinja2 decides before rendering which variable a name means (`idtracking.py`): a name that a scope
/// sets anywhere belongs to that scope, beginning with the value of the scope around it. So what a
/// loop sets is gone with each turn, and what a block reads before it sets it comes from outside.
struct Frame: Sendable {
  enum Origin: Sendable {
    /// Given by the caller: a macro's parameter, a loop's target.
    case parameter
    /// Only read here: belongs to a scope around this one, or to the template's variables.
    case loaded
    /// Set, but read before, or not set on every way: begins with the value from outside.
    case inherited
    /// Set before it is read: begins undefined unless a scope around has such a name.
    case fresh
  }

  private(set) var names: [String] = []
  private(set) var origins: [Origin] = []

  init(parameters: [String], loads: [Expression] = [], body: [Statement]) {
    for name in parameters { declare(name, .parameter) }
    for expression in loads { expression.forEachName { load($0) } }
    for statement in body { visit(statement, inBranch: false) }
  }

  func index(of name: String) -> Int? { names.firstIndex(of: name) }

  private mutating func declare(_ name: String, _ origin: Origin) {
    if index(of: name) == nil {
      names.append(name)
      origins.append(origin)
    }
  }

  private mutating func load(_ name: String) { declare(name, .loaded) }

  private mutating func store(_ name: String, inBranch: Bool) {
    guard let index = index(of: name) else {
      declare(name, inBranch ? .inherited : .fresh)
      return
    }
    if origins[index] == .loaded { origins[index] = .inherited }
  }

  private mutating func visit(_ expression: Expression?) {
    expression?.forEachName { load($0) }
  }

  private mutating func visit(_ target: Target, inBranch: Bool) {
    for name in target.namespaces { load(name) }
    for name in target.names { store(name, inBranch: inBranch) }
  }

  private mutating func visit(_ statement: Statement, inBranch: Bool) {
    switch statement.kind {
    case .data, .break, .continue, .unavailable, .block: break
    case .output(let expression): visit(expression)
    case .if(let branches, let otherwise):
      for (index, branch) in branches.enumerated() {
        visit(branch.test)
        for statement in branch.body { visit(statement, inBranch: true) }
        _ = index
      }
      for statement in otherwise { visit(statement, inBranch: true) }
    case .for(let loop): visit(loop.source)
    case .set(let target, let value):
      visit(value)
      visit(target, inBranch: inBranch)
    case .setBlock(let target, _, _): visit(target, inBranch: inBranch)
    case .macro(let macro): store(macro.name ?? "", inBranch: inBranch)
    case .call(_, let call): visit(call)
    case .filter(let filter, _): visit(filter)
    case .with(let assignments, _): for (_, value) in assignments { visit(value) }
    case .generation: break
    }
  }
}

extension Expression {
  /// The expressions directly within this one.
  var parts: [Expression] {
    switch kind {
    case .constant, .name: []
    case .list(let items), .tuple(let items), .concat(let items): items
    case .dictionary(let pairs): pairs.flatMap { [$0.key, $0.value] }
    case .and(let left, let right), .or(let left, let right), .binary(_, let left, let right),
      .item(let left, let right):
      [left, right]
    case .not(let operand), .unary(_, let operand), .attribute(let operand, _): [operand]
    case .compare(let left, let others): [left] + others.map(\.right)
    case .conditional(let test, let then, let otherwise):
      [test, then] + (otherwise.map { [$0] } ?? [])
    case .slice(let value, let start, let stop, let step):
      [value] + [start, stop, step].compactMap(\.self)
    case .call(let callee, let arguments): [callee] + arguments.all
    case .filter(let input, _, let arguments): (input.map { [$0] } ?? []) + arguments.all
    case .test(let input, _, let arguments): [input] + arguments.all
    }
  }

  func forEachName(_ body: (String) -> Void) {
    if case .name(let name) = kind { body(name) }
    for part in parts { part.forEachName(body) }
  }
}

/// Which of some names statements read without having set them before, at any depth.
struct UndeclaredNames {
  private var wanted: Set<String>
  private var found: Set<String> = []

  static func find(_ names: Set<String>, in body: [Statement]) -> Set<String> {
    var search = UndeclaredNames(wanted: names)
    for statement in body { search.visit(statement) }
    return search.found
  }

  private mutating func visit(_ expression: Expression?) {
    guard let expression else { return }
    expression.forEachName { name in
      if wanted.contains(name) { found.insert(name) }
    }
  }

  private mutating func visit(_ target: Target) {
    // Namespaces are no names for this search in jinja2 either.
    for name in target.names { wanted.remove(name) }
  }

  private mutating func visit(_ body: [Statement]) { for statement in body { visit(statement) } }

  private mutating func visit(_ macro: MacroDefinition) {
    for name in macro.parameters { wanted.remove(name) }
    for value in macro.defaults { visit(value) }
    visit(macro.body.body)
  }

  private mutating func visit(_ statement: Statement) {
    switch statement.kind {
    case .data, .break, .continue, .unavailable, .block: break
    case .output(let expression): visit(expression)
    case .if(let branches, let otherwise):
      for branch in branches {
        visit(branch.test)
        visit(branch.body)
      }
      visit(otherwise)
    case .for(let loop):
      visit(loop.target)
      visit(loop.source)
      visit(loop.body.body)
      visit(loop.otherwise?.body ?? [])
      visit(loop.filter)
    case .set(let target, let value):
      visit(target)
      visit(value)
    case .setBlock(let target, let filter, let block):
      visit(target)
      visit(filter)
      visit(block.body)
    case .macro(let macro): visit(macro)
    case .call(let macro, let call):
      visit(call)
      visit(macro)
    case .filter(let filter, let block):
      visit(block.body)
      visit(filter)
    case .with(let assignments, let block):
      for (target, _) in assignments { visit(target) }
      for (_, value) in assignments { visit(value) }
      visit(block.body)
    case .generation(let macro): visit(macro)
    }
  }
}
