/// What follows a value: members, indices, calls, filters and tests.
extension Parser {
  mutating func postfix(_ value: Expression) throws -> Expression {
    var value = value
    while case .sign(let sign) = current.kind {
      switch sign {
      case ".": value = try member(of: value)
      case "[": value = try subscripted(value)
      case "(": value = try call(value)
      default: return value
      }
    }
    return value
  }

  private mutating func member(of value: Expression) throws -> Expression {
    let position = current.position
    advance()
    switch current.kind {
    case .name(let name):
      advance()
      return try node(.attribute(value, name), position, [value])
    case .integer(let number):
      let index = try node(.constant(.integer(number)), current.position, [])
      advance()
      return try node(.item(value, index), position, [value])
    default: throw unexpected("a name or a number")
    }
  }

  private mutating func subscripted(_ value: Expression) throws -> Expression {
    let position = current.position
    advance()
    var arguments: [Expression] = []
    var bounds: [Expression?]?
    while !isSign("]") {
      if !arguments.isEmpty || bounds != nil { try expect(sign: ",") }
      let first = isSign(":") ? nil : try expression()
      if isSign(":") {
        guard bounds == nil, arguments.isEmpty else {
          throw position.error("a slice cannot stand beside other indices")
        }
        bounds = try sliceBounds(from: first)
      } else if let first {
        arguments.append(first)
      }
    }
    try expect(sign: "]")
    if let bounds {
      guard arguments.isEmpty else {
        throw position.error("a slice cannot stand beside other indices")
      }
      return try node(
        .slice(value, start: bounds[0], stop: bounds[1], step: bounds[2]), position,
        [value] + bounds.compactMap(\.self))
    }
    if arguments.count == 1 {
      return try node(.item(value, arguments[0]), position, [value, arguments[0]])
    }
    let index = try node(.tuple(arguments), position, arguments)
    return try node(.item(value, index), position, [value, index])
  }

  private mutating func sliceBounds(from first: Expression?) throws -> [Expression?] {
    advance()
    var bounds: [Expression?] = [first, nil, nil]
    if !isSign(":"), !isSign("]"), !isSign(",") { bounds[1] = try expression() }
    if skip(sign: ":"), !isSign("]"), !isSign(",") { bounds[2] = try expression() }
    return bounds
  }

  private mutating func call(_ callee: Expression) throws -> Expression {
    let position = current.position
    let arguments = try callArguments()
    return try node(.call(callee, arguments), position, [callee] + arguments.all)
  }

  mutating func callArguments() throws -> CallArguments {
    let opening = current.position
    try expect(sign: "(")
    var arguments = CallArguments()
    var isFirst = true
    func check(_ isRight: Bool) throws {
      if !isRight { throw opening.error("the arguments of this call are in a wrong order") }
    }
    while !isSign(")") {
      if !isFirst {
        try expect(sign: ",")
        if isSign(")") { break }
      }
      isFirst = false
      if skip(sign: "*") {
        try check(arguments.spread == nil && arguments.keywordSpread == nil)
        arguments.spread = try expression()
      } else if skip(sign: "**") {
        try check(arguments.keywordSpread == nil)
        arguments.keywordSpread = try expression()
      } else if case .name(let name) = current.kind, next.kind == .sign("=") {
        try check(arguments.keywordSpread == nil)
        guard !arguments.keywords.contains(where: { $0.name == name }) else {
          throw current.position.error("the argument '\(name)' is given twice")
        }
        advance()
        advance()
        arguments.keywords.append((name, try expression()))
      } else {
        try check(
          arguments.spread == nil && arguments.keywordSpread == nil && arguments.keywords.isEmpty)
        arguments.positional.append(try expression())
      }
    }
    try expect(sign: ")")
    return arguments
  }

  mutating func filtered(_ value: Expression) throws -> Expression {
    var value = value
    while true {
      if isSign("|") {
        value = try filters(of: value, isStarted: false)
      } else if isName("is") {
        value = try test(value)
      } else if isSign("(") {
        value = try call(value)
      } else {
        return value
      }
    }
  }

  /// Filters in a row. `isStarted` where the first has no `|` before it.
  mutating func filters(of input: Expression?, isStarted: Bool) throws -> Expression {
    var value = input
    var isStarted = isStarted
    while isSign("|") || isStarted {
      if !isStarted { advance() }
      isStarted = false
      let position = current.position
      let name = try dottedName()
      if !isSoft, !Filters.names.contains(name) {
        unknownNames.append(position.error("there is no filter '\(name)'"))
      }
      let arguments = isSign("(") ? try callArguments() : CallArguments()
      value = try node(
        .filter(value, name, arguments), position, (value.map { [$0] } ?? []) + arguments.all)
    }
    guard let value else { throw unexpected("a filter") }
    return value
  }

  private mutating func dottedName() throws -> String {
    var name = try expectName()
    while skip(sign: ".") { name += "." + (try expectName()) }
    return name
  }

  private mutating func test(_ value: Expression) throws -> Expression {
    let position = current.position
    advance()
    let isNegated = skip(name: "not")
    let namePosition = current.position
    let name = try dottedName()
    if !isSoft, !Tests.names.contains(name) {
      unknownNames.append(namePosition.error("there is no test '\(name)'"))
    }
    var arguments = CallArguments()
    if isSign("(") {
      arguments = try callArguments()
    } else if isOperandOfTest {
      if isName("is") { throw current.position.error("tests cannot follow each other") }
      let operand = try primary()
      arguments.positional = [try postfix(operand)]
    }
    let test = try node(.test(value, name, arguments), position, [value] + arguments.all)
    return isNegated ? try node(.not(test), position, [test]) : test
  }

  private var isOperandOfTest: Bool {
    switch current.kind {
    case .name(let name): !["else", "or", "and"].contains(name)
    case .string, .integer, .float, .sign("["), .sign("{"): true
    default: false
    }
  }
}
