/// What values can be assigned to.
extension Parser {
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
