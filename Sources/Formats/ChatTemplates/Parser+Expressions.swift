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

  func isTupleEnd(_ end: String?) -> Bool {
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

  func tooDeep(_ position: Position) -> ChatTemplateError {
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

  mutating func primary() throws -> Expression {
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
}
