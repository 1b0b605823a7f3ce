/// Equality, order and membership as in Python.
extension Value {
  func isEqual(to other: Value) -> Bool {
    switch (self, other) {
    case (.undefined, .undefined), (.none, .none): true
    case (.string(let left), .string(let right)): left == right
    case (.list(let left), .list(let right)), (.tuple(let left), .tuple(let right)):
      left.elements.count == right.elements.count
        && zip(left.elements, right.elements).allSatisfy { $0.isEqual(to: $1) }
    case (.dictionary(let left), .dictionary(let right)):
      left === right || left.count == right.count && Self.isEqual(left, right)
    case (.view(.values, _), .view(.values, _)): false
    case (.view(let left, let one), .view(let right, let two)):
      left == right && one.count == two.count
        && (left == .items ? Self.isEqual(one, two) : one.keys.allSatisfy { Self.has($0, two) })
    case (.range(let left), .range(let right)):
      left.count == right.count
        && (left.count == 0
          || left.start == right.start && (left.count == 1 || left.step == right.step))
    case (.iterator(let left), .iterator(let right)): left === right
    case (.namespace(let left), .namespace(let right)): left === right
    case (.loop(let left), .loop(let right)): left === right
    case (.macro(let left), .macro(let right)): left === right
    case (.cycler(let left), .cycler(let right)): left === right
    case (.joiner(let left), .joiner(let right)): left === right
    case (.function(let left), .function(let right)): left == right
    case (.method(let left, let one), .method(let right, let two)):
      one == two && left.value.isEqual(to: right.value)
    default:
      if let left = number, let right = other.number { left.isEqual(to: right) } else { false }
    }
  }

  private static func has(_ key: Value, _ dictionary: Dictionary) -> Bool {
    (try? Key(key)).map(dictionary.has) ?? false
  }

  private static func isEqual(_ left: Dictionary, _ right: Dictionary) -> Bool {
    zip(left.keys, left.values).allSatisfy { key, value in
      guard let key = try? Key(key), let other = right[key] else { return false }
      return value.isEqual(to: other)
    }
  }

  /// Whether this value comes before another.
  /// - Throws: where Python has no order for the two.
  func isLess(than other: Value) throws -> Bool {
    if let left = number, let right = other.number { return left.isLess(than: right) }
    switch (self, other) {
    case (.string(let left), .string(let right)):
      return left.units.lexicographicallyPrecedes(right.units) { $0.point < $1.point }
    case (.list(let left), .list(let right)), (.tuple(let left), .tuple(let right)):
      for (one, two) in zip(left.elements, right.elements) where !one.isEqual(to: two) {
        return try one.isLess(than: two)
      }
      return left.elements.count < right.elements.count
    case (.undefined(let message), _), (_, .undefined(let message)): throw Failure(message)
    default:
      throw Failure("a \(typeName) and a \(other.typeName) have no order")
    }
  }

  /// `<`, `<=`, `>`, `>=` by name.
  func compares(_ sign: String, to other: Value) throws -> Bool {
    if let left = number, let right = other.number, left.isNaN || right.isNaN { return false }
    return switch sign {
    case "<": try isLess(than: other)
    case ">": try other.isLess(than: self)
    case "<=": try !other.isLess(than: self)
    default: try !isLess(than: other)
    }
  }

  /// Whether a value is in this one, as `in` asks.
  func contains(_ value: Value) throws -> Bool {
    switch self {
    case .string(let text):
      guard case .string(let part) = value else {
        throw Failure("only a string can be in a string, not a \(value.typeName)")
      }
      return text.contains(part)
    case .dictionary(let dictionary), .view(.keys, let dictionary):
      return dictionary.has(try Key(value))
    case .range(let range):
      guard let number = value.number, case .integer(let integer) = number.normalized else {
        return false
      }
      return range.elements.contains { $0.isEqual(to: .integer(integer)) }
    default: return try elements().contains { $0.isEqual(to: value) }
    }
  }

  /// The elements of something that can be gone through; those of an iterator are used up.
  func elements() throws -> [Value] {
    switch self {
    case .undefined: []
    case .string(let text): text.units.map { .string(Text(units: [$0])) }
    case .list(let items), .tuple(let items): items.elements
    case .dictionary(let dictionary): dictionary.keys
    case .view(let view, let dictionary): try dictionary.elements(of: view)
    case .range(let range): range.elements
    case .iterator(let source): try source.rest()
    default: throw Failure("one cannot go through a value of type \(typeName)")
    }
  }

  /// `len`; nil where Python has none.
  func count() throws -> Int? {
    switch self {
    case .undefined: 0
    case .string(let text): text.count
    case .list(let items), .tuple(let items): items.elements.count
    case .dictionary(let dictionary), .view(_, let dictionary): dictionary.count
    case .range(let range): range.count
    case .loop(let loop): try loop.count()
    default: nil
    }
  }
}

/// A number for calculations: Python's bool, int and float.
enum Number {
  case integer(Int128)
  case float(Double)

  var isNaN: Bool { if case .float(let value) = self { value.isNaN } else { false } }

  var double: Double {
    switch self {
    case .integer(let value): Double(value)
    case .float(let value): value
    }
  }

  /// A float that is whole becomes an integer.
  var normalized: Number {
    if case .float(let value) = self, let integer = Int128(exactly: value) {
      return .integer(integer)
    }
    return self
  }

  func isEqual(to other: Number) -> Bool {
    switch (normalized, other.normalized) {
    case (.integer(let left), .integer(let right)): left == right
    case (.float(let left), .float(let right)): left == right
    default: false
    }
  }

  func isLess(than other: Number) -> Bool {
    switch (normalized, other.normalized) {
    case (.integer(let left), .integer(let right)): left < right
    case (let left, let right): left.double < right.double
    }
  }
}

extension Value {
  /// The value as a number; nil for what is none.
  var number: Number? {
    switch self {
    case .bool(let bool): .integer(bool ? 1 : 0)
    case .integer(let number): .integer(number)
    case .float(let number): .float(number)
    default: nil
    }
  }

  init(_ number: Number) {
    switch number {
    case .integer(let value): self = .integer(value)
    case .float(let value): self = .float(value)
    }
  }
}
