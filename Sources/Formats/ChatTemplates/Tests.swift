/// jinja2's tests: what stands behind `is`.
enum Tests {
  static let names: Set<String> = [
    "odd", "even", "divisibleby", "defined", "undefined", "filter", "test", "none", "boolean",
    "false", "true", "integer", "float", "lower", "upper", "string", "mapping", "number",
    "sequence", "iterable", "callable", "sameas", "escaped", "in", "==", "eq", "equalto", "!=",
    "ne", ">", "gt", "greaterthan", "ge", ">=", "<", "lt", "lessthan", "<=", "le",
  ]

  private static let comparisons = [
    "==": "==", "eq": "==", "equalto": "==", "!=": "!=", "ne": "!=", ">": ">", "gt": ">",
    "greaterthan": ">", ">=": ">=", "ge": ">=", "<": "<", "lt": "<", "lessthan": "<", "<=": "<=",
    "le": "<=",
  ]

  static func apply(_ name: String, to value: Value, _ arguments: Arguments) throws -> Bool {
    if let sign = comparisons[name] {
      let other = try operand(name, arguments)
      switch sign {
      case "==": return value.isEqual(to: other)
      case "!=": return !value.isEqual(to: other)
      default: return try value.compares(sign, to: other)
      }
    }
    switch name {
    case "in": return try operand(name, arguments).contains(value)
    case "sameas": return isSame(value, try operand(name, arguments))
    case "divisibleby": return try remainder(value, try operand(name, arguments)).isZero
    case "odd", "even":
      _ = try arguments.bound(to: name)
      let rest = try remainder(value, .integer(2))
      return name == "odd" ? rest.isEqual(to: .integer(1)) : rest.isZero
    default: break
    }
    _ = try arguments.bound(to: name)
    return try apply(name, to: value)
  }

  private static func operand(_ name: String, _ arguments: Arguments) throws -> Value {
    try arguments.bound(to: "the test '\(name)'", ["other"], required: 1)[0] ?? .none
  }

  private static func remainder(_ value: Value, _ divisor: Value) throws -> Number {
    if case .undefined(let message) = value { throw Failure(message) }
    guard let one = value.number, let two = divisor.number,
      let rest = try Arithmetic.operate("%", one, two).number
    else { throw Failure("a \(value.typeName) cannot be divided by a \(divisor.typeName)") }
    return rest
  }

  private static func apply(_ name: String, to value: Value) throws -> Bool {
    switch (name, value) {
    case ("defined", _): return !value.isUndefined
    case ("undefined", _): return value.isUndefined
    case ("none", _): return value.isNone
    case ("boolean", .bool), ("integer", .integer), ("float", .float): return true
    case ("false", .bool(let bool)): return !bool
    case ("true", .bool(let bool)): return bool
    case ("string", .string), ("mapping", .dictionary): return true
    case ("number", _): return value.number != nil
    case ("escaped", .string(let text)): return text.isMarkup
    case ("filter", _), ("test", _):
      if case .string(let text) = value {
        return (name == "filter" ? Filters.names : names).contains(text.string)
      }
      _ = try Key(value)
      return false
    case ("lower", _): return try StringMethods.question("islower", try value.printed())
    case ("upper", _): return try StringMethods.question("isupper", try value.printed())
    case ("sequence", .string), ("sequence", .list), ("sequence", .tuple),
      ("sequence", .dictionary), ("sequence", .range), ("sequence", .undefined):
      return true
    case ("iterable", .none), ("iterable", .bool), ("iterable", .integer), ("iterable", .float),
      ("iterable", .namespace), ("iterable", .macro), ("iterable", .method),
      ("iterable", .function), ("iterable", .cycler), ("iterable", .joiner):
      return false
    case ("iterable", _): return true
    case ("callable", .macro), ("callable", .method), ("callable", .function),
      ("callable", .joiner), ("callable", .loop), ("callable", .undefined):
      return true
    case (_, _) where names.contains(name): return false
    default: throw Failure("there is no test '\(name)'")
    }
  }

  /// Whether two values are one and the same; of strings and numbers equal ones count.
  private static func isSame(_ value: Value, _ other: Value) -> Bool {
    switch (value, other) {
    case (.bool(let one), .bool(let two)): one == two
    case (.integer(let one), .integer(let two)): one == two
    case (.dictionary(let one), .dictionary(let two)): one === two
    // Each use of a name without a value makes another undefined value.
    case (.undefined, _): false
    case (.bool, _), (_, .bool), (.integer, _), (_, .integer), (.float, _), (_, .float): false
    default: value.isEqual(to: other)
    }
  }
}

extension Number {
  var isZero: Bool { isEqual(to: .integer(0)) }
}
