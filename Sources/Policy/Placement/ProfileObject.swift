import OrderedJSON

/// One JSON object of a profile, whose keys have been checked; errors name the place in the file.
///
/// A number is an object of three members, `{"value": 936, "unit": "GB/s", "source": "…"}`, so that
/// no figure can be in a file without the sentence that says where it comes from.
struct ProfileObject {
  /// Where the object stands, such as `rtx-3090.json: gpu.read`.
  let place: String
  private let members: [String: JSONValue]
  private let separator: String

  /// The whole document of a file.
  init(text: String, file: String, required: [String], optional: [String] = []) throws {
    let value: JSONValue
    do {
      value = try JSONValue(parsing: text)
    } catch {
      throw ProfileError.notJSON(file: file, reason: "\(error)")
    }
    try self.init(value, place: file, required: required, optional: optional, separator: ": ")
  }

  private init(
    _ value: JSONValue, place: String, required: [String]?, optional: [String],
    separator: String = "."
  ) throws {
    guard case .object(let pairs) = value else {
      throw ProfileError.wrongType(place: place, expected: "an object")
    }
    var members: [String: JSONValue] = [:]
    for (key, value) in pairs {
      if let required, !required.contains(key), !optional.contains(key) {
        throw ProfileError.unknownKey(place: place, key: key, known: required + optional)
      }
      // The parser has refused keys that stand twice.
      members[key] = value
    }
    for key in required ?? [] where members[key] == nil {
      throw ProfileError.missingKey(place: place, key: key, known: required ?? [])
    }
    self.place = place
    self.members = members
    self.separator = separator
  }

  func has(_ key: String) -> Bool { members[key] != nil }

  /// The names of all members, sorted.
  var keys: [String] { members.keys.sorted() }

  private func place(_ key: String) -> String { place + separator + key }

  private func value(_ key: String) throws -> JSONValue {
    guard let value = members[key] else {
      throw ProfileError.missingKey(place: place, key: key, known: [key])
    }
    return value
  }

  /// A member that is an object with these keys; with any keys where `required` is nil.
  func object(_ key: String, required: [String]?, optional: [String] = []) throws -> ProfileObject {
    try ProfileObject(value(key), place: place(key), required: required, optional: optional)
  }

  func isText(_ key: String) -> Bool {
    if case .string? = members[key] { true } else { false }
  }

  /// A member that is a text of at least one character.
  func text(_ key: String) throws -> String {
    guard case .string(let text) = try value(key), !text.isEmpty else {
      throw ProfileError.wrongType(place: place(key), expected: "a text that is not empty")
    }
    return text
  }

  /// A member that is one of some words.
  func word(_ key: String, of words: [String]) throws -> String {
    let text = try text(key)
    guard words.contains(text) else {
      throw ProfileError.wrongValue(
        place: place(key), expected: "one of \(words.joined(separator: ", "))", found: "'\(text)'")
    }
    return text
  }

  /// A number in the program's units.
  ///
  /// - Parameter range: what makes sense, in the program's units.
  func number(
    _ key: String, _ unit: ProfileUnit, in range: ClosedRange<Double>
  ) throws -> Double {
    let object = try object(key, required: ["value", "unit", "source"])
    let value: Double
    switch try object.value("value") {
    case .integer(let integer): value = Double(integer)
    case .unsigned(let unsigned): value = Double(unsigned)
    case .double(let double): value = double
    case .float(let float): value = Double(float)
    default:
      throw ProfileError.wrongType(place: object.place("value"), expected: "a number")
    }
    let name = try object.text("unit")
    guard case .string(let source) = try object.value("source"),
      source.contains(where: { !$0.isWhitespace })
    else { throw ProfileError.missingSource(place: object.place) }
    guard let factor = unit.factors.first(where: { $0.name == name })?.factor else {
      throw ProfileError.wrongUnit(
        place: object.place, found: name, known: unit.factors.map(\.name))
    }
    let result = value * factor
    guard range.contains(result) else {
      let (low, high) = (range.lowerBound / factor, range.upperBound / factor)
      throw ProfileError.wrongValue(
        place: object.place, expected: "from \(Self.plain(low)) to \(Self.plain(high)) \(name)",
        found: "\(Self.plain(value)) \(name)")
    }
    return result
  }

  /// A whole number of things, named by the unit.
  func count(_ key: String, of things: String, in range: ClosedRange<Int>) throws -> Int {
    let value = try number(
      key, .count(of: things), in: Double(range.lowerBound)...Double(range.upperBound))
    guard value == value.rounded() else {
      throw ProfileError.wrongValue(
        place: place(key), expected: "a whole number", found: Self.plain(value))
    }
    return Int(value)
  }

  /// Without `.0` at the end.
  private static func plain(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
  }
}
