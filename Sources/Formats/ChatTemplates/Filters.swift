/// jinja2's filters: what stands behind `|`.
///
/// This file finds a filter by its name; the work is done in `TextFilters`, `NumberFilters` and
/// `SequenceFilters`.
enum Filters {
  /// All filters there are. `random` and `lipsum` would make a prompt that differs each time, `pprint`
  /// and `urlize` are for people and web pages: they are refused when they are used.
  static let names: Set<String> = textNames.union(numberNames).union(sequenceNames).union([
    "attr", "d", "default", "tojson", "pprint", "random", "urlize", "wordcount", "xmlattr",
  ])

  private static let textNames: Set<String> = [
    "capitalize", "center", "e", "escape", "forceescape", "format", "indent", "join", "lower",
    "replace", "safe", "string", "striptags", "title", "trim", "truncate", "upper", "urlencode",
    "wordwrap",
  ]
  private static let numberNames: Set<String> = ["abs", "filesizeformat", "float", "int", "round"]
  private static let sequenceNames: Set<String> = [
    "batch", "count", "dictsort", "first", "groupby", "items", "last", "length", "list", "map",
    "max", "min", "reject", "rejectattr", "reverse", "select", "selectattr", "slice", "sort", "sum",
    "unique",
  ]

  static func apply(
    _ name: String, to value: Value, _ arguments: Arguments, _ interpreter: Interpreter
  ) throws -> Value {
    if textNames.contains(name) {
      return .string(try TextFilters.apply(name, to: value, arguments, interpreter))
    }
    if numberNames.contains(name) { return try NumberFilters.apply(name, to: value, arguments) }
    if sequenceNames.contains(name) {
      return try SequenceFilters.apply(name, to: value, arguments, interpreter)
    }
    switch name {
    case "default", "d":
      let given = try arguments.bound(to: name, ["default_value", "boolean"])
      let isMissing = value.isUndefined || (given[1]?.isTrue ?? false) && !value.isTrue
      return isMissing ? given[0] ?? .string(Text()) : value
    case "attr":
      let given = try arguments.bound(to: name, ["name"], required: 1)
      let attribute = try (given[0] ?? .none).text("the name of an attribute").string
      if case .undefined(let message) = value { throw Failure(message) }
      return try Methods.attribute(attribute, of: value)
        ?? .undefined("'\(value.typeName) object' has no attribute '\(attribute)'")
    case "wordcount":
      _ = try arguments.bound(to: name)
      return .integer(Int128(TextFilters.words(try value.printed())))
    case "tojson": return .string(try json(value, arguments, interpreter))
    default:
      if names.contains(name) {
        throw Failure("the filter '\(name)' is not available in a chat template")
      }
      throw Failure("there is no filter '\(name)'")
    }
  }

  private static func json(
    _ value: Value, _ arguments: Arguments, _ interpreter: Interpreter
  ) throws -> Text {
    let given = try arguments.bound(
      to: "tojson", ["ensure_ascii", "indent", "separators", "sort_keys"])
    var indent: Text?
    switch given[1].given {
    case nil: break
    case .string(let text)?: indent = text
    case let other?:
      let width = max(0, try other.index("the indent of tojson"))
      try interpreter.budget.check(width)
      indent = Text(String(repeating: " ", count: width))
    }
    var separators: (Text, Text)?
    if let pair = try given[2].given?.elements() {
      guard pair.count == 2 else { throw Failure("tojson needs two separators") }
      separators = (try pair[0].text("a separator"), try pair[1].text("a separator"))
    }
    let form = JSONText(
      indent: indent, separators: separators, sortsKeys: given[3]?.isTrue ?? false,
      isASCII: given[0]?.isTrue ?? false)
    return try JSONText.write(value, form, interpreter)
  }
}
