/// A value of a template's language: what Python has, as far as a sandboxed template can reach it.
enum Value {
  /// What a name or an attribute is that there is not; the message says what was missing.
  case undefined(String)
  case none
  case bool(Bool)
  /// Python's whole numbers have no limit; beyond 128 bits a calculation fails.
  case integer(Int128)
  case float(Double)
  case string(Text)
  case list(Items)
  case tuple(Items)
  case dictionary(Dictionary)
  case view(Dictionary.View, Dictionary)
  case range(NumberRange)
  /// What filters such as `map` give: can be gone through once.
  case iterator(ItemSource)
  case namespace(Namespace)
  case loop(LoopState)
  case macro(Macro)
  case method(of: Boxed, name: String)
  case function(String)
  case cycler(Cycler)
  case joiner(Joiner)

  static func text(_ string: String) -> Value { .string(Text(string)) }

  static func list(_ elements: [Value]) throws -> Value { .list(try Items(elements)) }
  static func tuple(_ elements: [Value]) throws -> Value { .tuple(try Items(elements)) }

  /// How messages name its type: Python's name.
  var typeName: String {
    switch self {
    case .undefined: "Undefined"
    case .none: "NoneType"
    case .bool: "bool"
    case .integer: "int"
    case .float: "float"
    case .string(let text): text.isMarkup ? "Markup" : "str"
    case .list: "list"
    case .tuple: "tuple"
    case .dictionary: "dict"
    case .view(let view, _): view.rawValue
    case .range: "range"
    case .iterator: "generator"
    case .namespace: "Namespace"
    case .loop: "LoopContext"
    case .macro: "Macro"
    case .method, .function: "function"
    case .cycler: "Cycler"
    case .joiner: "Joiner"
    }
  }

  /// How many containers are nested in it at most; bounds every recursion over values.
  var depth: Int {
    switch self {
    case .list(let items), .tuple(let items): items.depth
    case .dictionary(let dictionary), .view(_, let dictionary): dictionary.depth
    case .method(let receiver, _): receiver.value.depth
    default: 0
    }
  }

  /// Python's truth.
  var isTrue: Bool {
    switch self {
    case .undefined, .none: false
    case .bool(let bool): bool
    case .integer(let number): number != 0
    case .float(let number): number != 0
    case .string(let text): !text.isEmpty
    case .list(let items), .tuple(let items): !items.elements.isEmpty
    case .dictionary(let dictionary), .view(_, let dictionary): dictionary.count > 0
    case .range(let range): range.count > 0
    case .loop(let loop): loop.knownCount != 0
    case .iterator, .namespace, .macro, .method, .function, .cycler, .joiner: true
    }
  }
}

/// A value behind a reference, for a case of `Value` that holds another.
final class Boxed {
  let value: Value
  init(_ value: Value) { self.value = value }
}

/// The elements of a list or a tuple.
struct Items {
  /// How deep values may be nested.
  static let maximumDepth = 400

  let elements: [Value]
  let depth: Int
  /// Names of the elements, in what `groupby` gives.
  var names: [String] = []

  init(_ elements: [Value], names: [String] = []) throws {
    self.elements = elements
    self.names = names
    depth = try Self.depth(around: elements)
  }

  static func depth(around elements: [Value]) throws -> Int {
    let depth = 1 + (elements.lazy.map(\.depth).max() ?? 0)
    guard depth <= maximumDepth else {
      throw Failure.limit("values are nested deeper than \(maximumDepth) levels")
    }
    return depth
  }
}

/// Pairs of keys and values in the order in which the keys came; never changes.
final class Dictionary {
  enum View: String { case keys = "dict_keys", values = "dict_values", items = "dict_items" }

  let keys: [Value]
  let values: [Value]
  let depth: Int
  private let places: [Key: Int]

  /// - Throws: where a key cannot be one, as in Python: a list, for example.
  init(_ pairs: [(Value, Value)]) throws {
    var places: [Key: Int] = [:]
    var keys: [Value] = []
    var values: [Value] = []
    places.reserveCapacity(pairs.count)
    for (key, value) in pairs {
      let hashed = try Key(key)
      if let place = places[hashed] {
        values[place] = value
      } else {
        places[hashed] = keys.count
        keys.append(key)
        values.append(value)
      }
    }
    self.keys = keys
    self.values = values
    self.places = places
    depth = try Items.depth(around: values + keys)
  }

  var count: Int { keys.count }

  subscript(_ key: Key) -> Value? { places[key].map { values[$0] } }

  subscript(_ name: String) -> Value? { self[.string(Text(name).units)] }

  func has(_ key: Key) -> Bool { places[key] != nil }

  func elements(of view: View) throws -> [Value] {
    switch view {
    case .keys: keys
    case .values: values
    case .items: try zip(keys, values).map { try Value.tuple([$0, $1]) }
    }
  }
}

/// A value as a key: equal keys are equal values.
enum Key: Hashable {
  case none
  case integer(Int128)
  case float(Double)
  case string([UInt32])
  case tuple([Key])
  /// A thing that equals nothing but itself.
  case object(ObjectIdentifier)
  case name(String)

  init(_ value: Value) throws {
    switch value {
    case .none: self = .none
    case .bool(let bool): self = .integer(bool ? 1 : 0)
    case .integer(let number): self = .integer(number)
    case .float(let number): self = Int128(exactly: number).map { .integer($0) } ?? .float(number)
    case .string(let text): self = .string(text.points)
    case .tuple(let items): self = .tuple(try items.elements.map { try Key($0) })
    case .undefined: self = .name("")
    case .range(let range): self = .name(range.description)
    case .function(let name): self = .name(name)
    case .iterator(let object): self = .object(ObjectIdentifier(object))
    case .namespace(let object): self = .object(ObjectIdentifier(object))
    case .loop(let object): self = .object(ObjectIdentifier(object))
    case .macro(let object): self = .object(ObjectIdentifier(object))
    case .method(let object, _): self = .object(ObjectIdentifier(object))
    case .cycler(let object): self = .object(ObjectIdentifier(object))
    case .joiner(let object): self = .object(ObjectIdentifier(object))
    case .list, .dictionary, .view:
      throw Failure("a \(value.typeName) cannot be a key")
    }
  }
}

/// What `range` gives.
struct NumberRange {
  /// The longest that the sandbox allows (jinja2's `MAX_RANGE`).
  static let maximumCount = 100_000

  let start, stop, step: Int128
  let count: Int

  init(start: Int128, stop: Int128, step: Int128) throws {
    guard step != 0 else { throw Failure("the step of a range must not be zero") }
    self.start = start
    self.stop = stop
    self.step = step
    let isEmpty = step > 0 ? start >= stop : start <= stop
    if isEmpty {
      count = 0
    } else {
      let (distance, overflow) = stop.subtractingReportingOverflow(start)
      let steps = overflow ? Int128.max : (distance - (step > 0 ? 1 : -1)) / step
      guard steps < Int128(Self.maximumCount) else {
        throw Failure.limit("a range has more than \(Self.maximumCount) numbers")
      }
      count = Int(steps) + 1
    }
  }

  subscript(_ index: Int) -> Int128 { start &+ Int128(index) &* step }

  var elements: [Value] { (0..<count).map { .integer(self[$0]) } }

  var description: String { "range(\(start), \(stop)\(step == 1 ? "" : ", \(step)"))" }
}

/// Things with a state of their own. They may refer to each other in circles; `Interpreter` holds all
/// of them and takes them apart in the end.
final class Namespace {
  var names: [Text] = []
  var values: [Value] = []

  subscript(_ name: Text) -> Value? {
    names.firstIndex(of: name).map { values[$0] }
  }

  func set(_ name: Text, to value: Value) {
    if let index = names.firstIndex(of: name) {
      values[index] = value
    } else {
      names.append(name)
      values.append(value)
    }
  }
}

final class Macro {
  let definition: MacroDefinition
  var scope: Scope?

  init(_ definition: MacroDefinition, _ scope: Scope) {
    self.definition = definition
    self.scope = scope
  }
}

final class Cycler {
  var items: [Value]
  var index = 0
  init(_ items: [Value]) { self.items = items }
}

final class Joiner {
  let separator: Value
  var isUsed = false
  init(_ separator: Value) { self.separator = separator }
}

/// Elements that come one by one and only once.
final class ItemSource {
  private var produce: (() throws -> [Value])?
  private var elements: [Value]
  private var index = 0

  init(_ elements: [Value]) { self.elements = elements }

  /// Elements that are made when the first one is asked for.
  init(_ produce: @escaping () throws -> [Value]) {
    self.produce = produce
    elements = []
  }

  func next() throws -> Value? {
    try fill()
    guard index < elements.count else { return nil }
    index += 1
    return elements[index - 1]
  }

  func rest() throws -> [Value] {
    try fill()
    let rest = index == 0 ? elements : Array(elements[index...])
    index = elements.count
    return rest
  }

  func clear() {
    produce = nil
    elements = []
    index = 0
  }

  private func fill() throws {
    guard let produce else { return }
    self.produce = nil
    elements = try produce()
  }
}
