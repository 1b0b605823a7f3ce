/// Turns a pattern's text into its program.
struct NamePatternCompiler {
  typealias Instruction = NamePattern.Instruction

  /// Steps at most: a pattern of people has some dozens, a repetition such as `x{1000}` has many.
  static let sizeLimit = 4_000
  static let depthLimit = 50

  let scalars: [Unicode.Scalar]
  var position = 0
  private var depth = 0
  private var isLookingAhead = false

  init(_ text: String) { scalars = Array(text.unicodeScalars) }

  var current: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

  func invalid(_ problem: String) -> NamePatternError {
    .invalid(offset: position, problem: problem)
  }

  func unsupported(_ what: String) -> NamePatternError {
    .unsupported(offset: position, what: what)
  }

  mutating func program() throws(NamePatternError) -> [NamePattern.Instruction] {
    let body = try alternatives()
    guard current == nil else { throw invalid("a ')' without its '('") }
    return body + [.match]
  }

  /// Code is relative to its own beginning until it is put somewhere.
  private static func moved(_ code: [Instruction], by offset: Int) -> [Instruction] {
    code.map { instruction in
      switch instruction {
      case .split(let first, let second): .split(first + offset, second + offset)
      case .jump(let target): .jump(target + offset)
      case .ahead(let isNegative, let next): .ahead(isNegative: isNegative, next: next + offset)
      default: instruction
      }
    }
  }

  static func joined(
    _ left: [Instruction], _ right: [Instruction]
  ) throws(NamePatternError) -> [Instruction] {
    guard left.count + right.count <= sizeLimit else { throw .tooLarge }
    return left + moved(right, by: left.count)
  }

  private mutating func alternatives() throws(NamePatternError) -> [Instruction] {
    var code = try sequence()
    while current == "|" {
      position += 1
      let other = try sequence()
      // split to both; the first jumps over the second.
      let first = try Self.joined([.split(1, code.count + 2)], code)
      code = try Self.joined(first + [.jump(first.count + 1 + other.count)], other)
    }
    return code
  }

  private mutating func sequence() throws(NamePatternError) -> [Instruction] {
    var code: [Instruction] = []
    while let scalar = current, scalar != "|", scalar != ")" {
      let start = position
      let atom = try atom()
      let isAssertion =
        scalars[start] == "^" || scalars[start] == "$" || Self.isLook(scalars, start)
      code = try Self.joined(code, quantified(atom, isAssertion: isAssertion))
    }
    return code
  }

  private static func isLook(_ scalars: [Unicode.Scalar], _ start: Int) -> Bool {
    start + 2 < scalars.count && scalars[start] == "(" && scalars[start + 1] == "?"
      && (scalars[start + 2] == "=" || scalars[start + 2] == "!")
  }

  // MARK: Atoms

  private mutating func atom() throws(NamePatternError) -> [Instruction] {
    guard let scalar = current else { throw invalid("the pattern ends too early") }
    switch scalar {
    case "(": return try group()
    case "[": return [.take(try NameClass.parse(scalars, &position))]
    case "*", "+", "?": throw invalid("nothing to repeat")
    case "\\": return [try escape()]
    default: break
    }
    if scalar == "{", try braces() != nil { throw invalid("nothing to repeat") }
    position += 1
    return switch scalar {
    case ".": [.take(.any)]
    case "^": [.atStart]
    case "$": [.atEnd]
    default: [.take(NameCharacters(items: [.range(scalar...scalar)]))]
    }
  }

  private mutating func group() throws(NamePatternError) -> [Instruction] {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.depthLimit else { throw .tooLarge }
    let start = position
    position += 1
    var isNegative: Bool?
    if current == "?" {
      position += 1
      switch current {
      case ":": position += 1
      case "=": (isNegative, position) = (false, position + 1)
      case "!": (isNegative, position) = (true, position + 1)
      case "P": try skipGroupName()
      case "<": throw unsupported("looking behind")
      case "#": throw unsupported("a comment")
      case "(": throw unsupported("a condition")
      case ">": throw unsupported("an atomic group")
      default: throw unsupported("a flag")
      }
    }
    if isNegative != nil {
      // Each level of looking ahead multiplies the time; no pattern of people needs a second.
      guard !isLookingAhead else { throw unsupported("looking ahead inside looking ahead") }
      isLookingAhead = true
    }
    let body = try alternatives()
    if isNegative != nil { isLookingAhead = false }
    guard current == ")" else {
      position = start
      throw invalid("a '(' without its ')'")
    }
    position += 1
    guard let isNegative else { return body }
    return try Self.joined([.ahead(isNegative: isNegative, next: body.count + 2)], body) + [.match]
  }

  private mutating func skipGroupName() throws(NamePatternError) {
    guard position + 1 < scalars.count, scalars[position + 1] == "<" else {
      throw unsupported("a back-reference")
    }
    guard let close = scalars[position...].firstIndex(of: ">"), close > position + 2 else {
      throw invalid("a group's name is not finished")
    }
    let name = scalars[(position + 2)..<close]
    guard name.allSatisfy(NameCharacters.isWord), !("0"..."9").contains(name[name.startIndex])
    else { throw invalid("a group's name has a wrong character") }
    position = close + 1
  }

  private mutating func escape() throws(NamePatternError) -> Instruction {
    guard position + 1 < scalars.count else { throw invalid("a '\\' at the end") }
    let scalar = scalars[position + 1]
    switch scalar {
    case "A", "Z", "b", "B":
      position += 2
      return scalar == "A"
        ? .atStart : scalar == "Z" ? .atEndOfText : .atBorder(scalar == "b")
    case "1"..."9": throw unsupported("a back-reference")
    default: return .take(NameCharacters(items: [try NameClass.escape(scalars, &position)]))
    }
  }
}
