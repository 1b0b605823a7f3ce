/// Expressions, from the loosest binding to the tightest.
extension Parser {
  /// One expression, or several with commas, which make a tuple.
  mutating func tuple(
    allowsConditional: Bool = true, until end: String? = nil, isInBrackets: Bool = false
  ) throws -> Expression {
    let position = current.position
    var items: [Expression] = []
    var isTuple = false
    while true {
      if !items.isEmpty { try expect(sign: ",") }
      if isTupleEnd(end) { break }
      items.append(try allowsConditional ? expression() : or())
      guard isSign(",") else { break }
      isTuple = true
    }
    if !isTuple {
      if let only = items.first { return only }
      guard isInBrackets else { throw unexpected("an expression") }
    }
    return try node(.tuple(items), position, items)
  }

  private func isTupleEnd(_ end: String?) -> Bool {
    switch current.kind {
    case .variableEnd, .blockEnd, .sign(")"): true
    case .name(let name): name == end
    default: false
    }
  }

  func node(
    _ kind: Expression.Kind, _ position: Position, _ parts: [Expression]
  ) throws -> Expression {
    let depth = 1 + (parts.map(\.depth).max() ?? 0)
    guard depth <= Self.maximumExpressionDepth else { throw tooDeep(position) }
    return Expression(kind, position, depth: depth)
  }

  private func tooDeep(_ position: Position) -> ChatTemplateError {
    position.error("an expression is nested deeper than \(Self.maximumExpressionDepth) levels")
  }

  /// `a if b else c`
  mutating func expression() throws -> Expression {
    expressionDepth += 1
    defer { expressionDepth -= 1 }
    guard expressionDepth <= Self.maximumExpressionDepth else { throw tooDeep(current.position) }
    let unknownCount = unknownNames.count
    var value = try or()
    while isName("if") {
      let position = current.position
      advance()
      let test = try or()
      let otherwise = skip(name: "else") ? try expression() : nil
      value = try node(
        .conditional(test: test, then: value, otherwise: otherwise), position,
        [test, value] + (otherwise.map { [$0] } ?? []))
      // Within a conditional an unknown filter is an error only when it is used.
      unknownNames.removeLast(unknownNames.count - unknownCount)
    }
    return value
  }

  mutating func or() throws -> Expression {
    var left = try and()
    while isName("or") {
      let position = current.position
      advance()
      let right = try and()
      left = try node(.or(left, right), position, [left, right])
    }
    return left
  }

  private mutating func and() throws -> Expression {
    var left = try not()
    while isName("and") {
      let position = current.position
      advance()
      let right = try not()
      left = try node(.and(left, right), position, [left, right])
    }
    return left
  }

  private mutating func not() throws -> Expression {
    var positions: [Position] = []
    while isName("not") {
      positions.append(current.position)
      advance()
    }
    var value = try comparison()
    for position in positions.reversed() { value = try node(.not(value), position, [value]) }
    return value
  }

  private static let comparisons: Set<String> = ["==", "!=", "<", "<=", ">", ">="]

  private mutating func comparison() throws -> Expression {
    let left = try sum()
    let position = current.position
    var others: [(sign: String, right: Expression)] = []
    while true {
      if case .sign(let sign) = current.kind, Self.comparisons.contains(sign) {
        advance()
        others.append((sign, try sum()))
      } else if skip(name: "in") {
        others.append(("in", try sum()))
      } else if isName("not"), next.kind == .name("in") {
        advance()
        advance()
        others.append(("not in", try sum()))
      } else {
        break
      }
    }
    if others.isEmpty { return left }
    return try node(.compare(left, others), position, [left] + others.map(\.right))
  }

  private mutating func sum() throws -> Expression {
    var left = try concatenation()
    while case .sign(let sign) = current.kind, sign == "+" || sign == "-" {
      let position = current.position
      advance()
      let right = try concatenation()
      left = try node(.binary(sign, left, right), position, [left, right])
    }
    return left
  }

  private mutating func concatenation() throws -> Expression {
    let position = current.position
    var parts = [try product()]
    while skip(sign: "~") { parts.append(try product()) }
    return parts.count == 1 ? parts[0] : try node(.concat(parts), position, parts)
  }

  private mutating func product() throws -> Expression {
    var left = try power()
    while case .sign(let sign) = current.kind, ["*", "/", "//", "%"].contains(sign) {
      let position = current.position
      advance()
      let right = try power()
      left = try node(.binary(sign, left, right), position, [left, right])
    }
    return left
  }

  private mutating func power() throws -> Expression {
    var left = try unary()
    while isSign("**") {
      let position = current.position
      advance()
      let right = try unary()
      left = try node(.binary("**", left, right), position, [left, right])
    }
    return left
  }

  private mutating func unary(allowsFilters: Bool = true) throws -> Expression {
    let position = current.position
    var value: Expression
    if case .sign(let sign) = current.kind, sign == "-" || sign == "+" {
      expressionDepth += 1
      defer { expressionDepth -= 1 }
      guard expressionDepth <= Self.maximumExpressionDepth else { throw tooDeep(position) }
      advance()
      let operand = try unary(allowsFilters: false)
      value = try node(.unary(sign, operand), position, [operand])
    } else {
      value = try primary()
    }
    value = try postfix(value)
    return allowsFilters ? try filtered(value) : value
  }

  private mutating func primary() throws -> Expression {
    let position = current.position
    switch current.kind {
    case .name(let name):
      advance()
      return try node(Self.constant(name).map { .constant($0) } ?? .name(name), position, [])
    case .string(var units):
      advance()
      while case .string(let more) = current.kind {
        units += more
        advance()
      }
      return try node(.constant(.string(units)), position, [])
    case .integer(let number):
      advance()
      return try node(.constant(.integer(number)), position, [])
    case .float(let number):
      advance()
      return try node(.constant(.float(number)), position, [])
    case .sign("("):
      advance()
      expressionDepth += 1
      defer { expressionDepth -= 1 }
      let value = try tuple(isInBrackets: true)
      try expect(sign: ")")
      return value
    case .sign("["):
      advance()
      let items = try items(until: "]") { parser in try parser.expression() }
      return try node(.list(items), position, items)
    case .sign("{"):
      advance()
      let pairs = try items(until: "}") { parser in
        let key = try parser.expression()
        try parser.expect(sign: ":")
        return (key: key, value: try parser.expression())
      }
      return try node(.dictionary(pairs), position, pairs.flatMap { [$0.key, $0.value] })
    default: throw unexpected("an expression")
    }
  }

  static func constant(_ name: String) -> Constant? {
    switch name {
    case "true", "True": .bool(true)
    case "false", "False": .bool(false)
    case "none", "None": Constant.none
    default: nil
    }
  }

  private mutating func items<Item>(
    until end: String, _ read: (inout Parser) throws -> Item
  ) throws -> [Item] {
    var items: [Item] = []
    while !isSign(end) {
      if !items.isEmpty { try expect(sign: ",") }
      if isSign(end) { break }
      items.append(try read(&self))
    }
    try expect(sign: end)
    return items
  }

  // MARK: What follows a value

  private mutating func postfix(_ value: Expression) throws -> Expression {
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

  private mutating func filtered(_ value: Expression) throws -> Expression {
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

  // MARK: Targets

  func checkAssignable(_ name: String, _ position: Position) throws {
    guard Self.constant(name) == nil else {
      throw position.error("'\(name)' cannot be given a value")
    }
  }

  mutating func assignmentTarget(allowsAttributes: Bool, until end: String?) throws -> Target {
    var targets: [Target] = []
    var isTuple = false
    while true {
      if !targets.isEmpty { try expect(sign: ",") }
      if isTupleEnd(end) { break }
      targets.append(try singleTarget(allowsAttributes: allowsAttributes))
      guard isSign(",") else { break }
      isTuple = true
    }
    if isTuple { return .tuple(targets) }
    guard let only = targets.first else { throw unexpected("a name") }
    return only
  }

  private mutating func singleTarget(allowsAttributes: Bool) throws -> Target {
    let position = current.position
    if skip(sign: "(") {
      expressionDepth += 1
      defer { expressionDepth -= 1 }
      guard expressionDepth <= Self.maximumExpressionDepth else { throw tooDeep(position) }
      var targets: [Target] = []
      var isTuple = false
      while !isSign(")") {
        targets.append(try singleTarget(allowsAttributes: false))
        guard skip(sign: ",") else { break }
        isTuple = true
      }
      try expect(sign: ")")
      if !isTuple, let only = targets.first { return only }
      return .tuple(targets)
    }
    let name = try expectName("a name to give a value to")
    try checkAssignable(name, position)
    if allowsAttributes, skip(sign: ".") { return .attribute(name, try expectName()) }
    return .name(name)
  }
}
