/// Filters that work on what can be gone through.
enum SequenceFilters {
  static func apply(
    _ name: String, to value: Value, _ arguments: Arguments, _ interpreter: Interpreter
  ) throws -> Value {
    switch name {
    case "length", "count":
      _ = try arguments.bound(to: name)
      guard let count = try value.count() else {
        throw Failure("a value of type \(value.typeName) has no length")
      }
      return .integer(Int128(count))
    case "first": return try first(value, arguments)
    case "last": return try last(value, arguments)
    case "list":
      _ = try arguments.bound(to: name)
      return try .list(try counted(value, interpreter))
    case "items": return try items(value, arguments, interpreter)
    case "reverse": return try reversed(value, arguments, interpreter)
    case "map": return try map(value, arguments, interpreter)
    case "select", "reject", "selectattr", "rejectattr":
      return try select(name, value, arguments, interpreter)
    case "slice", "batch": return try parts(name, value, arguments, interpreter)
    case "sum": return try sum(value, arguments, interpreter)
    default: return try OrderFilters.apply(name, to: value, arguments, interpreter)
    }
  }

  /// The elements, counted as work.
  static func counted(_ value: Value, _ interpreter: Interpreter) throws -> [Value] {
    let elements = try value.elements()
    try interpreter.budget.make(elements.count)
    return elements
  }

  private static func first(_ value: Value, _ arguments: Arguments) throws -> Value {
    _ = try arguments.bound(to: "first")
    let first: Value?
    if case .iterator(let source) = value {
      first = try source.next()
    } else {
      first = try value.elements().first
    }
    return first ?? .undefined("there is no first element")
  }

  private static func last(_ value: Value, _ arguments: Arguments) throws -> Value {
    _ = try arguments.bound(to: "last")
    switch value {
    case .iterator: throw Failure("a generator has no last element; make a list of it")
    // Reversing calls len and [], which an undefined value refuses only when there is something.
    case .undefined: return .undefined("there is no last element")
    default: return try value.elements().last ?? .undefined("there is no last element")
    }
  }

  private static func items(
    _ value: Value, _ arguments: Arguments, _ interpreter: Interpreter
  ) throws -> Value {
    _ = try arguments.bound(to: "items")
    return interpreter.iterator {
      switch value {
      case .undefined: return []
      case .dictionary(let dictionary): return try dictionary.elements(of: .items)
      default: throw Failure("a value of type \(value.typeName) has no pairs of keys and values")
      }
    }
  }

  private static func reversed(
    _ value: Value, _ arguments: Arguments, _ interpreter: Interpreter
  ) throws -> Value {
    _ = try arguments.bound(to: "reverse")
    switch value {
    case .string(let text):
      return .string(Text(units: text.units.reversed(), isMarkup: text.isMarkup))
    case .iterator: return try .list(try counted(value, interpreter).reversed())
    default: return interpreter.iterator(try counted(value, interpreter).reversed())
    }
  }

  // MARK: Attributes

  /// Finds an attribute by a path such as `address.city` or `0.name`.
  struct Getter {
    private let path: [Value]
    private let missing: Value?

    init(_ attribute: Value?, missing: Value? = nil) throws {
      self.missing = missing.given
      switch attribute.given {
      case nil: path = []
      case .string(let text)?:
        path = text.string.split(separator: ".", omittingEmptySubsequences: false).map { part in
          Int128(part).map { $0 >= 0 && part.first != "+" ? .integer($0) : .text(String(part)) }
            ?? .text(String(part))
        }
      case let other?: path = [other]
      }
    }

    func value(of item: Value, _ interpreter: Interpreter) throws -> Value {
      var item = item
      for part in path {
        item = try interpreter.item(part, of: item)
        if let missing, item.isUndefined { item = missing }
      }
      return item
    }
  }

  // MARK: Choosing and changing

  private static func map(
    _ value: Value, _ arguments: Arguments, _ interpreter: Interpreter
  ) throws -> Value {
    interpreter.iterator { [unowned interpreter] in
      guard value.isTrue else { return [] }
      var arguments = arguments
      if arguments.positional.isEmpty, let attribute = arguments["attribute"] {
        if let other = arguments.keywords.first(where: {
          $0.name != "attribute" && $0.name != "default"
        }) {
          throw Failure("map has no argument '\(other.name)'")
        }
        let getter = try Getter(attribute, missing: arguments["default"])
        return try counted(value, interpreter).map { try getter.value(of: $0, interpreter) }
      }
      guard !arguments.positional.isEmpty else { throw Failure("map needs a filter") }
      let name = try arguments.positional.removeFirst().text("the name of a filter").string
      return try counted(value, interpreter).map { element in
        try interpreter.nested { try Filters.apply(name, to: element, arguments, interpreter) }
      }
    }
  }

  private static func select(
    _ name: String, _ value: Value, _ arguments: Arguments, _ interpreter: Interpreter
  ) throws -> Value {
    interpreter.iterator { [unowned interpreter] in
      guard value.isTrue else { return [] }
      var arguments = arguments
      var getter: Getter?
      if name.hasSuffix("attr") {
        guard !arguments.positional.isEmpty else { throw Failure("\(name) needs an attribute") }
        getter = try Getter(arguments.positional.removeFirst())
      }
      var test: String?
      if !arguments.positional.isEmpty {
        test = try arguments.positional.removeFirst().text("the name of a test").string
      }
      let wanted = name.hasPrefix("select")
      return try counted(value, interpreter).filter { element in
        try interpreter.budget.step()
        let tested = try getter?.value(of: element, interpreter) ?? element
        let holds = try test.map { try Tests.apply($0, to: tested, arguments) } ?? tested.isTrue
        return holds == wanted
      }
    }
  }

  private static func parts(
    _ name: String, _ value: Value, _ arguments: Arguments, _ interpreter: Interpreter
  ) throws -> Value {
    let given = try arguments.bound(
      to: name, [name == "slice" ? "slices" : "linecount", "fill_with"], required: 1)
    let count = try (given[0] ?? .none).index("the number of parts")
    let fill = given[1].given
    return interpreter.iterator { [unowned interpreter] in
      let elements = try counted(value, interpreter)
      return name == "slice"
        ? try slices(elements, count, fill, interpreter)
        : try batches(elements, count, fill, interpreter)
    }
  }

  private static func slices(
    _ elements: [Value], _ count: Int, _ fill: Value?, _ interpreter: Interpreter
  ) throws -> [Value] {
    guard count != 0 else { throw Failure("division by zero") }
    try interpreter.budget.make(max(0, count))
    guard count > 0 else { return [] }
    let (size, extra) = elements.count.quotientAndRemainder(dividingBy: count)
    var start = 0
    return try (0..<count).map { index in
      let end = start + size + (index < extra ? 1 : 0)
      defer { start = end }
      let filling = index >= extra ? fill.map { [$0] } ?? [] : []
      return try .list(Array(elements[start..<end]) + filling)
    }
  }

  private static func batches(
    _ elements: [Value], _ count: Int, _ fill: Value?, _ interpreter: Interpreter
  ) throws -> [Value] {
    // A size that is never reached gives one batch; zero gives an empty one first.
    var batches: [Value] = []
    var batch: [Value] = []
    for element in elements {
      if batch.count == count {
        batches.append(try .list(batch))
        batch = []
      }
      batch.append(element)
    }
    if !batch.isEmpty {
      if let fill, batch.count < count {
        try interpreter.budget.make(count)
        batch += Array(repeating: fill, count: count - batch.count)
      }
      batches.append(try .list(batch))
    }
    return batches
  }

  private static func sum(
    _ value: Value, _ arguments: Arguments, _ interpreter: Interpreter
  ) throws -> Value {
    let given = try arguments.bound(to: "sum", ["attribute", "start"])
    let getter = try Getter(given[0])
    var total = given[1] ?? .integer(0)
    if case .string = total { throw Failure("strings cannot be summed; join them") }
    for element in try counted(value, interpreter) {
      total = try interpreter.operate("+", total, try getter.value(of: element, interpreter))
    }
    return total
  }
}
