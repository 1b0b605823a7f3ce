/// The functions that every template has.
enum Globals {
  static let names = [
    "range", "dict", "namespace", "cycler", "joiner", "lipsum", "raise_exception", "strftime_now",
  ]

  static func call(
    _ name: String, _ arguments: Arguments, _ interpreter: Interpreter
  ) throws -> Value {
    switch name {
    case "range": return try range(arguments, interpreter)
    case "dict": return .dictionary(try dictionary(arguments, "dict"))
    case "namespace":
      let dictionary = try dictionary(arguments, "namespace")
      let namespace = Namespace()
      for (key, value) in zip(dictionary.keys, dictionary.values) {
        if case .string(let name) = key { namespace.set(name, to: value) }
      }
      return interpreter.keep(namespace)
    case "cycler":
      guard arguments.keywords.isEmpty, !arguments.positional.isEmpty else {
        throw Failure("cycler needs at least one value, and no named ones")
      }
      return interpreter.keep(Cycler(arguments.positional))
    case "joiner":
      let given = try arguments.bound(to: name, ["sep"])
      return .joiner(Joiner(given[0] ?? .text(", ")))
    case "raise_exception":
      let given = try arguments.bound(to: name, ["message"], required: 1)
      throw Failure(try (given[0] ?? .none).printed().string, reason: .refused)
    case "strftime_now":
      let given = try arguments.bound(to: name, ["format"], required: 1)
      let format = try (given[0] ?? .none).text("the format of strftime_now")
      return .string(try interpreter.now.formatted(format))
    default: throw Failure("the function '\(name)' is not available in a chat template")
    }
  }

  private static func range(_ arguments: Arguments, _ interpreter: Interpreter) throws -> Value {
    let given = try arguments.bound(
      to: "range", ["start", "stop", "step"], required: 1, takesNames: false)
    func number(_ value: Value?, _ missing: Int128) throws -> Int128 {
      switch value {
      case nil: return missing
      case .bool(let bool)?: return bool ? 1 : 0
      case .integer(let number)?: return number
      case .undefined(let message)?: throw Failure(message)
      case let other?: throw Failure("range needs whole numbers, not a \(other.typeName)")
      }
    }
    let (start, stop) =
      given[1] == nil
      ? (0, try number(given[0], 0)) : (try number(given[0], 0), try number(given[1], 0))
    let range = try NumberRange(start: start, stop: stop, step: try number(given[2], 1))
    try interpreter.budget.make(range.count)
    return .range(range)
  }

  private static func dictionary(_ arguments: Arguments, _ name: String) throws -> Dictionary {
    guard arguments.positional.count <= 1 else {
      throw Failure("\(name) takes at most one value without a name")
    }
    var pairs: [(Value, Value)] = []
    switch arguments.positional.first {
    case nil: break
    case .dictionary(let dictionary)?: pairs = Array(zip(dictionary.keys, dictionary.values))
    case .namespace?, .undefined?:
      throw Failure("\(name) needs a dict or pairs of keys and values")
    case let other?:
      for element in try other.elements() {
        let pair = try element.elements()
        guard pair.count == 2 else { throw Failure("\(name) needs pairs of keys and values") }
        pairs.append((pair[0], pair[1]))
      }
    }
    pairs += arguments.keywords.map { (.text($0.name), $0.value) }
    return try Dictionary(pairs)
  }
}
