/// The values given to a function, a method, a filter or a test.
struct Arguments {
  var positional: [Value] = []
  var keywords: [(name: String, value: Value)] = []

  init(_ positional: [Value] = [], keywords: [(name: String, value: Value)] = []) {
    self.positional = positional
    self.keywords = keywords
  }

  /// The values by parameter, as Python binds them; nil for those that are not given.
  ///
  /// - Parameters:
  ///   - function: for messages.
  ///   - required: how many of the parameters must be given.
  ///   - takesNames: whether they can be given by name; not so for most methods of strings.
  func bound(
    to function: String, _ parameters: [String] = [], required: Int = 0, takesNames: Bool = true
  ) throws -> [Value?] {
    guard positional.count <= parameters.count else {
      throw Failure(
        "\(function) takes at most \(parameters.count) arguments, not \(positional.count)")
    }
    var values: [Value?] = positional
    values += Array(repeating: nil, count: parameters.count - positional.count)
    for (name, value) in keywords {
      guard takesNames, let index = parameters.firstIndex(of: name) else {
        throw Failure("\(function) has no argument '\(name)'")
      }
      guard values[index] == nil else { throw Failure("\(function) got '\(name)' twice") }
      values[index] = value
    }
    for index in 0..<required where values[index] == nil {
      throw Failure("\(function) needs the argument '\(parameters[index])'")
    }
    return values
  }

  subscript(_ keyword: String) -> Value? { keywords.first { $0.name == keyword }?.value }
}

/// Values as the types that built-in functions want.
extension Value {
  /// - Throws: where it is no string.
  func text(_ what: String) throws -> Text {
    switch self {
    case .string(let text): return text
    case .undefined(let message): throw Failure(message)
    default: throw Failure("\(what) must be a string, not a \(typeName)")
    }
  }

  /// A whole number; too large ones become the largest `Int`, which no string or list reaches.
  func index(_ what: String) throws -> Int {
    switch self {
    case .bool(let bool): return bool ? 1 : 0
    case .integer(let number): return Int(clamping: number)
    case .undefined(let message): throw Failure(message)
    default: throw Failure("\(what) must be a whole number, not a \(typeName)")
    }
  }

  var isNone: Bool { if case .none = self { true } else { false } }
  var isUndefined: Bool { if case .undefined = self { true } else { false } }
}

extension Value? {
  /// Whether it is given and not None.
  var given: Value? { if let self, !self.isNone { self } else { nil } }
}
