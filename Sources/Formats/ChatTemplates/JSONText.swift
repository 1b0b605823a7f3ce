/// Python's `json.dumps`, as the `tojson` of chat templates calls it.
struct JSONText {
  let indent: Text?
  let itemSeparator: Text
  let keySeparator: Text
  let sortsKeys: Bool
  let isASCII: Bool
  private var units: [UInt32] = []

  init(indent: Text?, separators: (Text, Text)?, sortsKeys: Bool, isASCII: Bool) {
    self.indent = indent
    itemSeparator = separators?.0 ?? Text(indent == nil ? ", " : ",")
    keySeparator = separators?.1 ?? Text(": ")
    self.sortsKeys = sortsKeys
    self.isASCII = isASCII
  }

  static func write(_ value: Value, _ form: JSONText, _ interpreter: Interpreter) throws -> Text {
    var form = form
    try form.append(value, 0, interpreter)
    try interpreter.budget.make(form.units.count)
    return Text(units: form.units)
  }

  private mutating func append(
    _ value: Value, _ level: Int, _ interpreter: Interpreter
  ) throws {
    try interpreter.budget.step()
    try interpreter.budget.check(units.count)
    switch value {
    case .none: append("null")
    case .bool(let bool): append(bool ? "true" : "false")
    case .integer(let number): append(String(number))
    case .float(let number): append(Self.number(number))
    case .string(let text): append(text)
    case .list(let items), .tuple(let items):
      guard !items.elements.isEmpty else { return append("[]") }
      append("[")
      for (index, element) in items.elements.enumerated() {
        separate(index, level + 1)
        try append(element, level + 1, interpreter)
      }
      breakLine(level)
      append("]")
    case .dictionary(let dictionary):
      guard dictionary.count > 0 else { return append("{}") }
      append("{")
      for (index, place) in try order(dictionary).enumerated() {
        separate(index, level + 1)
        append(try Self.key(dictionary.keys[place]))
        units += keySeparator.units
        try append(dictionary.values[place], level + 1, interpreter)
      }
      breakLine(level)
      append("}")
    case .undefined, .view, .range, .iterator, .namespace, .loop, .macro, .method, .function,
      .cycler, .joiner:
      throw Failure("a value of type \(value.typeName) cannot be written as JSON")
    }
  }

  private func order(_ dictionary: Dictionary) throws -> [Int] {
    guard sortsKeys else { return Array(0..<dictionary.count) }
    return try dictionary.keys.indices.sorted {
      try dictionary.keys[$0].isLess(than: dictionary.keys[$1])
    }
  }

  private static func key(_ key: Value) throws -> Text {
    switch key {
    case .string(let text): return text
    case .none: return Text("null")
    case .bool(let bool): return Text(bool ? "true" : "false")
    case .integer(let number): return Text(String(number))
    case .float(let number): return Text(Self.number(number))
    default: throw Failure("a \(key.typeName) cannot be a key in JSON")
    }
  }

  private static func number(_ number: Double) -> String {
    if number.isFinite { return Value.python(number) }
    return number.isNaN ? "NaN" : number < 0 ? "-Infinity" : "Infinity"
  }

  private mutating func separate(_ index: Int, _ level: Int) {
    if index > 0 { units += itemSeparator.units }
    breakLine(level)
  }

  private mutating func breakLine(_ level: Int) {
    guard let indent else { return }
    units.append(0x0A)
    for _ in 0..<level { units += indent.units }
  }

  private mutating func append(_ string: String) { units += string.unicodeScalars.map(\.value) }

  private mutating func append(_ text: Text) {
    units.append(0x22)
    for unit in text.units {
      let point = unit.point
      switch point {
      case 0x22, 0x5C: escape([0x5C, point], unit)
      case 0x0A: escape([0x5C, 0x6E], unit)
      case 0x0D: escape([0x5C, 0x72], unit)
      case 0x09: escape([0x5C, 0x74], unit)
      case 0x08: escape([0x5C, 0x62], unit)
      case 0x0C: escape([0x5C, 0x66], unit)
      case 0..<0x20: escape(Text("\\u" + Value.hexadecimal(point, 4)).units, unit)
      case 0x7F... where isASCII:
        for half in String(Unicode.Scalar(point) ?? " ").utf16 {
          escape(Text("\\u" + Value.hexadecimal(UInt32(half), 4)).units, unit)
        }
      default: units.append(unit)
      }
    }
    units.append(0x22)
  }

  private mutating func escape(_ points: [UInt32], _ unit: UInt32) {
    for point in points { units.append(point | unit.mark) }
  }
}
