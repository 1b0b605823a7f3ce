/// Loops, macros and call blocks.
extension Interpreter {
  func run(_ loop: ForLoop, _ scope: Scope) throws -> Ending {
    let source = try evaluate(loop.source, scope)
    guard loop.isRecursive else { return try run(loop, over: source, scope, depth0: 0) }
    let (text, _) = try captured { try run(loop, over: source, scope, depth0: 0) }
    try write(text)
    return .normal
  }

  /// Renders a loop for some elements.
  func run(
    _ loop: ForLoop, over source: Value, _ scope: Scope, depth0: Int
  ) throws -> Ending {
    let start = position
    let pull = try elementSource(of: source, loop, scope)
    let count = loop.filter == nil ? try source.count() : nil
    let state = LoopState(count: count, depth0: depth0, pull: pull)
    if loop.usesLoop { _ = keep(state) }
    if loop.isRecursive { state.recursion = (loop, scope) }
    defer { state.clear() }
    // As in jinja2: an element whose body was left by `continue` or `break` does not count.
    var isEmpty = true
    elements: while let element = try state.next() {
      position = start
      try budget.step()
      let inner = self.scope(loop.body.frame, in: scope)
      try assign(element, loop.target, inner)
      if loop.usesLoop { inner.set("loop", to: .loop(state)) }
      switch try run(loop.body.body, inner) {
      case .normal: isEmpty = false
      case .continue: break
      case .break: break elements
      }
    }
    if isEmpty, let otherwise = loop.otherwise {
      return try run(otherwise.body, self.scope(otherwise.frame, in: scope))
    }
    return .normal
  }

  /// Gives the elements of a loop one by one, those that its condition accepts.
  private func elementSource(
    of source: Value, _ loop: ForLoop, _ scope: Scope
  ) throws -> () throws -> Value? {
    let all: () throws -> Value?
    if case .iterator(let iterator) = source {
      all = iterator.next
    } else {
      let elements = try source.elements()
      try budget.make(elements.count)
      var index = 0
      all = {
        guard index < elements.count else { return nil }
        index += 1
        return elements[index - 1]
      }
    }
    guard let filter = loop.filter else { return all }
    return { [unowned self] in
      while let element = try all() {
        let inner = self.scope(loop.filterFrame, in: scope)
        try assign(element, loop.target, inner)
        if try evaluate(filter, inner).isTrue { return element }
      }
      return nil
    }
  }

  // MARK: Macros

  /// Calls a macro, which gives what it writes.
  func call(_ macro: Macro, _ arguments: Arguments) throws -> Text {
    guard callDepth < Budget.maximumCalls else {
      throw Failure.limit("macros call each other deeper than \(Budget.maximumCalls) levels")
    }
    guard let outer = macro.scope else { return Text() }
    callDepth += 1
    defer { callDepth -= 1 }
    let definition = macro.definition
    let scope = self.scope(definition.body.frame, in: outer)
    try bind(arguments, of: macro, in: scope)
    return try captured { try run(definition.body.body, scope) }.text
  }

  private func bind(_ arguments: Arguments, of macro: Macro, in scope: Scope) throws {
    let definition = macro.definition
    let name = definition.name.map { "macro '\($0)'" } ?? "this call block"
    let parameters = definition.parameters
    var keywords = arguments.keywords
    func take(_ name: String) -> Value? {
      keywords.firstIndex { $0.name == name }.map { keywords.remove(at: $0).value }
    }
    var given: [Value?] = arguments.positional.prefix(parameters.count).map { $0 }
    for parameter in parameters.dropFirst(given.count) { given.append(take(parameter)) }
    if definition.takesCaller {
      scope.set("caller", to: take("caller") ?? .undefined("there is no caller"))
    }
    if definition.takesKeywords {
      let pairs = keywords.map { (Value.text($0.name), $0.value) }
      scope.set("kwargs", to: .dictionary(try Dictionary(pairs)))
    } else if let keyword = keywords.first?.name {
      throw Failure("\(name) has no argument '\(keyword)'")
    }
    let extra = Array(arguments.positional.dropFirst(parameters.count))
    if definition.takesVariadic {
      scope.set("varargs", to: try .tuple(extra))
    } else if !extra.isEmpty {
      throw Failure("\(name) takes at most \(parameters.count) arguments")
    }
    let firstDefault = parameters.count - definition.defaults.count
    for (index, parameter) in parameters.enumerated() {
      if let value = given[index] {
        scope.set(parameter, to: value)
      } else if index >= firstDefault {
        scope.set(parameter, to: try evaluate(definition.defaults[index - firstDefault], scope))
      } else {
        scope.set(parameter, to: .undefined("parameter '\(parameter)' was not provided"))
      }
    }
  }

  /// `{% call … %}`: the call of an expression, which can call the block's body as `caller`.
  func call(
    _ expression: Expression, caller body: MacroDefinition, _ scope: Scope
  ) throws -> Value {
    guard case .call(let callee, let given) = expression.kind else { return .none }
    let caller = macro(body, scope)
    let function = try evaluate(callee, scope)
    var arguments = try evaluate(given, scope)
    guard !arguments.keywords.contains(where: { $0.name == "caller" }) else {
      throw Failure("the argument 'caller' is given twice")
    }
    arguments.keywords.append(("caller", caller))
    position = expression.position
    return try call(function, arguments)
  }

  /// Calls anything that can be called.
  func call(_ function: Value, _ arguments: Arguments) throws -> Value {
    switch function {
    case .function(let name): return try Globals.call(name, arguments, self)
    case .method(let receiver, let name):
      return try Methods.call(name, of: receiver.value, arguments, self)
    case .macro(let macro): return .string(try call(macro, arguments))
    case .loop(let state): return try recurse(state, arguments)
    case .joiner(let joiner):
      _ = try arguments.bound(to: "joiner")
      if joiner.isUsed { return joiner.separator }
      joiner.isUsed = true
      return .string(Text())
    case .undefined(let message): throw Failure(message)
    default: throw Failure("a value of type \(function.typeName) cannot be called")
    }
  }

  /// `loop(children)` in a recursive loop.
  private func recurse(_ state: LoopState, _ arguments: Arguments) throws -> Value {
    let source = try arguments.bound(to: "loop", ["iterable"], required: 1)[0] ?? .none
    guard let (loop, scope) = state.recursion else {
      throw Failure("a loop can be called only where it is marked as recursive")
    }
    guard callDepth < Budget.maximumCalls else {
      throw Failure.limit("loops call each other deeper than \(Budget.maximumCalls) levels")
    }
    callDepth += 1
    defer { callDepth -= 1 }
    return .string(
      try captured { try run(loop, over: source, scope, depth0: state.depth0 + 1) }.text)
  }
}
