/// Attributes and methods of values that a sandboxed template can reach.
///
/// Methods that would change a list or a dict are undefined, as in jinja2's
/// `ImmutableSandboxedEnvironment`.
enum Methods {
  private static let ofStrings: Set<String> = [
    "capitalize", "casefold", "center", "count", "endswith", "expandtabs", "find", "format",
    "format_map", "index", "isalnum", "isalpha", "isascii", "isdecimal", "isdigit", "isidentifier",
    "islower", "isnumeric", "isprintable", "isspace", "istitle", "isupper", "join", "ljust",
    "lower",
    "lstrip", "partition", "removeprefix", "removesuffix", "replace", "rfind", "rindex", "rjust",
    "rpartition", "rsplit", "rstrip", "split", "splitlines", "startswith", "strip", "swapcase",
    "title", "upper", "zfill", "encode", "maketrans", "translate",
  ]
  private static let ofLists: Set<String> = ["copy", "count", "index"]
  private static let changingLists: Set<String> = [
    "append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort",
  ]
  private static let ofDictionaries: Set<String> = [
    "copy", "fromkeys", "get", "items", "keys", "values",
  ]
  private static let changingDictionaries: Set<String> = [
    "clear", "pop", "popitem", "setdefault", "update",
  ]

  /// What Python has under a name; nil where it has nothing.
  static func attribute(_ name: String, of value: Value) throws -> Value? {
    switch value {
    case .string: return method(name, of: value, among: ofStrings)
    case .list: return method(name, of: value, among: ofLists, changing: changingLists)
    case .tuple(let items):
      if let index = items.names.firstIndex(of: name) { return items.elements[index] }
      return method(name, of: value, among: ["count", "index"])
    case .dictionary:
      return method(name, of: value, among: ofDictionaries, changing: changingDictionaries)
    case .namespace(let namespace): return namespace[Text(name)]
    case .loop(let loop):
      if let attribute = try loop.attribute(name) { return attribute }
      return method(name, of: value, among: ["cycle", "changed"])
    case .range(let range):
      switch name {
      case "start": return .integer(range.start)
      case "stop": return .integer(range.stop)
      case "step": return .integer(range.step)
      default: return method(name, of: value, among: ["count", "index"])
      }
    case .cycler(let cycler):
      if name == "current" { return cycler.items[cycler.index] }
      return method(name, of: value, among: ["next", "reset"])
    case .macro(let macro): return attribute(name, of: macro.definition)
    case .bool, .integer, .float: return attribute(name, ofNumber: value)
    default: return nil
    }
  }

  private static func method(
    _ name: String, of value: Value, among names: Set<String>, changing: Set<String> = []
  ) -> Value? {
    if names.contains(name) { return .method(of: Boxed(value), name: name) }
    guard changing.contains(name) else { return nil }
    return .undefined("'\(name)' would change a \(value.typeName), which a template must not")
  }

  private static func attribute(_ name: String, of macro: MacroDefinition) -> Value? {
    switch name {
    case "name": macro.name.map { .text($0) } ?? Value.none
    case "arguments": try? .tuple(macro.parameters.map { .text($0) })
    case "catch_kwargs": .bool(macro.takesKeywords)
    case "catch_varargs": .bool(macro.takesVariadic)
    case "caller": .bool(macro.takesCaller)
    default: nil
    }
  }

  private static func attribute(_ name: String, ofNumber value: Value) -> Value? {
    switch (name, value.number) {
    case ("real", let number?): Value(number)
    case ("imag", .integer?): .integer(0)
    case ("imag", .float?): .float(0)
    case ("numerator", .integer(let number)?): .integer(number)
    case ("denominator", .integer?): .integer(1)
    case ("is_integer", .float?): .method(of: Boxed(value), name: name)
    case ("bit_length", .integer?): .method(of: Boxed(value), name: name)
    default: nil
    }
  }

  static func call(
    _ name: String, of value: Value, _ arguments: Arguments, _ interpreter: Interpreter
  ) throws -> Value {
    switch value {
    case .string(let text):
      return try StringMethods.call(name, of: text, arguments, interpreter)
    case .list(let items) where name == "copy":
      _ = try arguments.bound(to: name)
      return .list(items)
    case .list, .tuple, .range: return try sequence(name, value, arguments)
    case .dictionary(let dictionary): return try call(name, of: dictionary, arguments)
    case .loop(let loop):
      guard arguments.keywords.isEmpty else { throw Failure("loop.\(name) has no named arguments") }
      return name == "cycle"
        ? try loop.cycle(arguments.positional) : .bool(loop.changed(arguments.positional))
    case .cycler(let cycler):
      _ = try arguments.bound(to: name)
      if name == "reset" {
        cycler.index = 0
        return .none
      }
      defer { cycler.index = (cycler.index + 1) % cycler.items.count }
      return cycler.items[cycler.index]
    default:
      _ = try arguments.bound(to: name)
      guard let number = value.number else { throw Failure("there is no method '\(name)'") }
      switch number {
      case .integer(let integer):
        return .integer(Int128(128 - integer.magnitude.leadingZeroBitCount))
      case .float(let float): return .bool(float.isFinite && float.rounded() == float)
      }
    }
  }

  private static func sequence(
    _ name: String, _ value: Value, _ arguments: Arguments
  ) throws -> Value {
    let elements = try value.elements()
    if name == "count" {
      let given = try arguments.bound(to: name, ["value"], required: 1, takesNames: false)
      return .integer(Int128(elements.count { $0.isEqual(to: given[0] ?? .none) }))
    }
    let given = try arguments.bound(
      to: name, ["value", "start", "stop"], required: 1, takesNames: false)
    for index in try Slicing.indices(elements.count, given[1], given[2], nil)
    where elements[index].isEqual(to: given[0] ?? .none) {
      return .integer(Int128(index))
    }
    throw Failure("the value is not in the \(value.typeName)")
  }

  private static func call(
    _ name: String, of dictionary: Dictionary, _ arguments: Arguments
  ) throws -> Value {
    switch name {
    case "get":
      let given = try arguments.bound(
        to: name, ["key", "default"], required: 1, takesNames: false)
      return dictionary[try Key(given[0] ?? .none)] ?? given[1] ?? .none
    case "fromkeys":
      let given = try arguments.bound(
        to: name, ["iterable", "value"], required: 1, takesNames: false)
      let keys = try (given[0] ?? .none).elements()
      return .dictionary(try Dictionary(keys.map { ($0, given[1] ?? .none) }))
    default: break
    }
    _ = try arguments.bound(to: name)
    switch name {
    case "items": return .view(.items, dictionary)
    case "keys": return .view(.keys, dictionary)
    case "values": return .view(.values, dictionary)
    default: return .dictionary(dictionary)
    }
  }
}
