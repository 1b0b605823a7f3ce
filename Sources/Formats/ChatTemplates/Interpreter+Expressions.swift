/// Expressions.
extension Interpreter {
  /// The value of an expression.
  ///
  /// - Parameter input: what the innermost filter of a filter block works on.
  func evaluate(_ expression: Expression, _ scope: Scope, input: Value? = nil) throws -> Value {
    try nested {
      switch expression.kind {
      case .constant(let constant): return Value(constant)
      case .name(let name):
        return scope.value(of: name, variables) ?? .undefined("'\(name)' is undefined")
      case .attribute(let object, let name):
        let value = try evaluate(object, scope)
        position = expression.position
        return try attribute(name, of: value)
      case .and(let left, let right):
        let value = try evaluate(left, scope)
        return value.isTrue ? try evaluate(right, scope) : value
      case .or(let left, let right):
        let value = try evaluate(left, scope)
        return value.isTrue ? value : try evaluate(right, scope)
      case .not(let operand): return .bool(!(try evaluate(operand, scope).isTrue))
      case .conditional(let test, let then, let otherwise):
        return try conditional(test, then, otherwise, scope)
      default: return try evaluateOperation(expression, scope, input)
      }
    }
  }

  private func conditional(
    _ test: Expression, _ then: Expression, _ otherwise: Expression?, _ scope: Scope
  ) throws -> Value {
    if try evaluate(test, scope).isTrue { return try evaluate(then, scope) }
    guard let otherwise else {
      return .undefined("the condition is false and there is no else")
    }
    return try evaluate(otherwise, scope)
  }

  private func evaluateOperation(
    _ expression: Expression, _ scope: Scope, _ input: Value?
  ) throws -> Value {
    switch expression.kind {
    case .call(let callee, let given):
      let function = try evaluate(callee, scope)
      let arguments = try evaluate(given, scope)
      position = expression.position
      return try call(function, arguments)
    case .filter(let inner, let name, let given):
      let value = try inner.map { try evaluate($0, scope, input: input) } ?? input ?? .none
      let arguments = try evaluate(given, scope)
      position = expression.position
      return try Filters.apply(name, to: value, arguments, self)
    case .test(let operand, let name, let given):
      let value = try evaluate(operand, scope)
      let arguments = try evaluate(given, scope)
      position = expression.position
      return .bool(try Tests.apply(name, to: value, arguments))
    case .compare(let left, let others): return try compare(left, others, expression, scope)
    case .binary(let sign, let left, let right):
      let (one, two) = (try evaluate(left, scope), try evaluate(right, scope))
      position = expression.position
      return try operate(sign, one, two)
    case .unary(let sign, let operand):
      let value = try evaluate(operand, scope)
      position = expression.position
      return try Arithmetic.signed(sign, value)
    default: return try evaluateContainer(expression, scope)
    }
  }

  private func evaluateContainer(_ expression: Expression, _ scope: Scope) throws -> Value {
    switch expression.kind {
    case .concat(let parts):
      var result = Text()
      for part in parts {
        result.units += try evaluate(part, scope).printed().units
        try budget.check(result.count)
      }
      try budget.make(result.count)
      return .string(result)
    case .item(let object, let index):
      let (value, key) = (try evaluate(object, scope), try evaluate(index, scope))
      position = expression.position
      return try item(key, of: value)
    case .slice(let object, let start, let stop, let step):
      let value = try evaluate(object, scope)
      let bounds = try [start, stop, step].map { try $0.map { try evaluate($0, scope) } }
      position = expression.position
      return try Slicing.slice(value, start: bounds[0], stop: bounds[1], step: bounds[2])
    case .list(let items): return try .list(try evaluate(items, scope))
    case .tuple(let items): return try .tuple(try evaluate(items, scope))
    case .dictionary(let pairs):
      let pairs = try pairs.map { (try evaluate($0.key, scope), try evaluate($0.value, scope)) }
      position = expression.position
      return .dictionary(try Dictionary(pairs))
    default: return .none
    }
  }

  private func evaluate(_ items: [Expression], _ scope: Scope) throws -> [Value] {
    try items.map { try evaluate($0, scope) }
  }

  func evaluate(_ given: CallArguments, _ scope: Scope) throws -> Arguments {
    var arguments = Arguments(try evaluate(given.positional, scope))
    if let spread = given.spread {
      arguments.positional += try evaluate(spread, scope).elements()
    }
    for (name, value) in given.keywords {
      arguments.keywords.append((name, try evaluate(value, scope)))
    }
    guard let spread = given.keywordSpread else { return arguments }
    guard case .dictionary(let dictionary) = try evaluate(spread, scope) else {
      throw Failure("only a dict can stand behind '**'")
    }
    for (key, value) in zip(dictionary.keys, dictionary.values) {
      let name = try key.text("a name behind '**'").string
      guard arguments[name] == nil else { throw Failure("the argument '\(name)' is given twice") }
      arguments.keywords.append((name, value))
    }
    return arguments
  }

  private func compare(
    _ left: Expression, _ others: [(sign: String, right: Expression)], _ expression: Expression,
    _ scope: Scope
  ) throws -> Value {
    var value = try evaluate(left, scope)
    for (sign, right) in others {
      let other = try evaluate(right, scope)
      position = expression.position
      let holds =
        switch sign {
        case "==": value.isEqual(to: other)
        case "!=": !value.isEqual(to: other)
        case "in": try other.contains(value)
        case "not in": try !other.contains(value)
        default: try value.compares(sign, to: other)
        }
      if !holds { return .bool(false) }
      value = other
    }
    return .bool(true)
  }

  /// `+`, `-`, `*`, `/`, `//`, `%` and `**`.
  func operate(_ sign: String, _ left: Value, _ right: Value) throws -> Value {
    if let one = left.number, let two = right.number {
      return try Arithmetic.operate(sign, one, two)
    }
    switch (sign, left, right) {
    case (_, .undefined(let message), _): throw Failure(message)
    case ("%", .string(let format), _): return .string(try PercentFormat.apply(format, right, self))
    case (_, _, .undefined(let message)): throw Failure(message)
    case ("+", .string(var one), .string(let two)):
      try budget.make(one.count + two.count)
      one = one.isMarkup || !two.isMarkup ? one : one.escaped()
      return .string(one + (one.isMarkup && !two.isMarkup ? two.escaped() : two))
    case ("+", .list(let one), .list(let two)):
      try budget.make(one.elements.count + two.elements.count)
      return try .list(one.elements + two.elements)
    case ("+", .tuple(let one), .tuple(let two)):
      try budget.make(one.elements.count + two.elements.count)
      return try .tuple(one.elements + two.elements)
    case ("*", _, _):
      if let repeated = try repeated(left, right) ?? repeated(right, left) { return repeated }
    default: break
    }
    throw Failure("'\(sign)' cannot join a \(left.typeName) and a \(right.typeName)")
  }

  /// A string or a list several times; nil where the values are no such thing.
  private func repeated(_ value: Value, _ times: Value) throws -> Value? {
    let count: Int
    switch times {
    case .bool, .integer: count = max(0, try times.index("a number"))
    default: return nil
    }
    func total(_ length: Int) throws {
      let (total, overflow) = length.multipliedReportingOverflow(by: count)
      try budget.make(overflow ? .max : total)
    }
    switch value {
    case .string(let text):
      try total(text.count)
      return .string(
        Text(
          units: Array([[UInt32]](repeating: text.units, count: text.isEmpty ? 0 : count).joined()),
          isMarkup: text.isMarkup))
    case .list(let items):
      try total(items.elements.count)
      return try .list(Self.repeated(items.elements, count))
    case .tuple(let items):
      try total(items.elements.count)
      return try .tuple(Self.repeated(items.elements, count))
    default: return nil
    }
  }

  private static func repeated(_ elements: [Value], _ count: Int) -> [Value] {
    elements.isEmpty ? [] : Array([[Value]](repeating: elements, count: count).joined())
  }

  // MARK: Parts of values

  /// `value.name`: what Python has under that name, or else the element of that key.
  func attribute(_ name: String, of value: Value) throws -> Value {
    if case .undefined(let message) = value { throw Failure(message) }
    if let attribute = try Methods.attribute(name, of: value) { return attribute }
    if case .dictionary(let dictionary) = value, let element = dictionary[name] { return element }
    return .undefined("'\(value.typeName) object' has no attribute '\(name)'")
  }

  /// `value[key]`: the element, or else what Python has under that name.
  func item(_ key: Value, of value: Value) throws -> Value {
    if case .undefined(let message) = value { throw Failure(message) }
    if let element = try element(key, of: value) { return element }
    if case .string(let name) = key, let attribute = try Methods.attribute(name.string, of: value) {
      return attribute
    }
    return .undefined("'\(value.typeName) object' has no element \(try key.represented().string)")
  }

  private func element(_ key: Value, of value: Value) throws -> Value? {
    if case .dictionary(let dictionary) = value {
      return (try? Key(key)).flatMap { dictionary[$0] }
    }
    let index: Int
    switch key {
    case .bool, .integer: index = try key.index("an index")
    default: return nil
    }
    func place(_ count: Int) -> Int? {
      let place = index < 0 ? count + index : index
      return place >= 0 && place < count ? place : nil
    }
    switch value {
    case .string(let text): return place(text.count).map { .string(text[$0..<$0 + 1]) }
    case .list(let items), .tuple(let items):
      return place(items.elements.count).map { items.elements[$0] }
    case .range(let range): return place(range.count).map { .integer(range[$0]) }
    default: return nil
    }
  }
}

extension Value {
  init(_ constant: Constant) {
    switch constant {
    case .none: self = .none
    case .bool(let bool): self = .bool(bool)
    case .integer(let number): self = .integer(number)
    case .float(let number): self = .float(number)
    case .string(let units): self = .string(Text(units: units))
    }
  }
}
