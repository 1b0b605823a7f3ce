/// A value together with its place in the document, so that readers are short and their errors say
/// where: `costs.cpuFirst: expected a number, found a string`.
///
///     let root = JSONNode(try JSONValue(parsing: text))
///     try root.refuseOthers(than: ["name", "costs"])
///     let first = try root["costs"].optional("cpuFirst")?.number(in: 0...1e9) ?? 0
public struct JSONNode: Sendable {
  public let value: JSONValue
  /// Such as `costs.cpuFirst` or `layers[3]`; empty for the whole document.
  public let path: String

  /// The root of a document; `path` names it in messages where the document is a part of something.
  public init(_ value: JSONValue, path: String = "") {
    self.value = value
    self.path = path
  }

  /// An error about this value.
  public func mismatch(expected: String, found: String? = nil) -> JSONError {
    .mismatch(path: path, expected: expected, found: found ?? Self.name(of: value))
  }

  // MARK: Objects and arrays

  /// The member of an object that must be there.
  public subscript(_ key: String) -> JSONNode {
    get throws(JSONError) {
      for member in try members() where member.key == key { return member.node }
      throw mismatch(expected: "the key \"\(key)\"", found: "none")
    }
  }

  /// The member of an object that may be missing; nil where it is, or is null.
  public func optional(_ key: String) throws(JSONError) -> JSONNode? {
    for member in try members() where member.key == key {
      if case .null = member.node.value { return nil }
      return member.node
    }
    return nil
  }

  /// The members of an object in their order.
  public func members() throws(JSONError) -> [(key: String, node: JSONNode)] {
    guard case .object(let members) = value else { throw mismatch(expected: "an object") }
    return members.map { ($0.0, JSONNode($0.1, path: path.isEmpty ? $0.0 : "\(path).\($0.0)")) }
  }

  /// The elements of an array.
  public func elements() throws(JSONError) -> [JSONNode] {
    guard case .array(let elements) = value else { throw mismatch(expected: "an array") }
    return elements.indices.map { JSONNode(elements[$0], path: "\(path)[\($0)]") }
  }

  /// Throws where an object has a key that its reader does not know: a slip of the keyboard.
  public func refuseOthers(than known: [String]) throws(JSONError) {
    for (key, node) in try members() where !known.contains(key) {
      throw .mismatch(
        path: node.path, expected: "one of the keys \(known.joined(separator: ", "))",
        found: "\"\(key)\"")
    }
  }

  // MARK: Simple values

  /// Any number; whole ones beyond 2^53 are rounded.
  public func number() throws(JSONError) -> Double {
    switch value {
    case .integer(let number): return Double(number)
    case .unsigned(let number): return Double(number)
    case .double(let number) where number.isFinite: return number
    case .float(let number) where number.isFinite: return Double(number)
    default: throw mismatch(expected: "a number")
    }
  }

  /// A number within some bounds, both included.
  public func number(in range: ClosedRange<Double>) throws(JSONError) -> Double {
    let number = try number()
    guard range.contains(number) else {
      throw mismatch(
        expected: "a number from \(Self.text(range.lowerBound)) to \(Self.text(range.upperBound))",
        found: value.text)
    }
    return number
  }

  /// A whole number; one written as `3.0` or `3e0` counts.
  public func integer() throws(JSONError) -> Int {
    switch value {
    case .integer(let number): return number
    case .double(let number):
      if let integer = Int(exactly: number) { return integer }
      throw mismatch(expected: "a whole number", found: value.text)
    case .unsigned: throw mismatch(expected: "a whole number below 2^63", found: value.text)
    default: throw mismatch(expected: "a whole number")
    }
  }

  /// A whole number within some bounds, both included.
  public func integer(in range: ClosedRange<Int>) throws(JSONError) -> Int {
    let number = try integer()
    guard range.contains(number) else {
      let bounds =
        range.upperBound == Int.max
        ? "of at least \(range.lowerBound)" : "from \(range.lowerBound) to \(range.upperBound)"
      throw mismatch(expected: "a whole number \(bounds)", found: value.text)
    }
    return number
  }

  public func string() throws(JSONError) -> String {
    guard case .string(let string) = value else { throw mismatch(expected: "a string") }
    return string
  }

  public func bool() throws(JSONError) -> Bool {
    guard case .bool(let bool) = value else { throw mismatch(expected: "true or false") }
    return bool
  }

  /// A string that is the raw value of one case of an enum.
  public func choice<Choice>(of type: Choice.Type) throws(JSONError) -> Choice
  where Choice: RawRepresentable & CaseIterable, Choice.RawValue == String {
    let name = try string()
    guard let choice = Choice(rawValue: name) else {
      let names = Choice.allCases.map(\.rawValue).joined(separator: ", ")
      throw mismatch(expected: "one of \(names)", found: value.text)
    }
    return choice
  }

  private static func text(_ bound: Double) -> String {
    Int(exactly: bound).map { "\($0)" } ?? "\(bound)"
  }

  private static func name(of value: JSONValue) -> String {
    switch value {
    case .null: "null"
    case .bool(let value): value ? "true" : "false"
    case .integer, .unsigned, .float, .double: "the number \(value.text)"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}
