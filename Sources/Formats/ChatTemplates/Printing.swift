/// How Python prints values.
extension Value {
  /// `str(value)`: what a template writes for it.
  func printed() throws -> Text {
    switch self {
    case .undefined: Text()
    case .string(let text): text
    default: try represented()
    }
  }

  /// `repr(value)`: how it is shown within lists and dicts.
  func represented(level: Int = 0) throws -> Text {
    guard level <= Items.maximumDepth else {
      throw Failure.limit("values are nested deeper than \(Items.maximumDepth) levels")
    }
    switch self {
    case .undefined: return Text("Undefined")
    case .none: return Text("None")
    case .bool(let bool): return Text(bool ? "True" : "False")
    case .integer(let number): return Text(String(number))
    case .float(let number): return Text(Self.python(number))
    case .string(let text):
      let quoted = Self.quoted(text)
      return text.isMarkup ? Text("Markup(") + quoted + Text(")") : quoted
    case .list(let items): return try Self.enclosed("[", items.elements, "]", level)
    case .tuple(let items):
      return try Self.enclosed("(", items.elements, items.elements.count == 1 ? ",)" : ")", level)
    case .dictionary(let dictionary):
      let pairs = zip(dictionary.keys, dictionary.values)
      return Text("{") + (try Self.pairs(pairs, level)).joined(by: Text(", ")) + Text("}")
    case .view(let view, let dictionary):
      let inside = try Value.list(try dictionary.elements(of: view)).represented(level: level)
      return Text(view.rawValue + "(") + inside + Text(")")
    case .range(let range): return Text(range.description)
    case .namespace(let namespace):
      let pairs = zip(namespace.names.map { Value.string($0) }, namespace.values)
      let inside = try Self.pairs(pairs, level).joined(by: Text(", "))
      return Text("<Namespace {") + inside + Text("}>")
    case .loop(let loop): return Text("<LoopContext \(loop.index0 + 1)/\(try loop.count())>")
    case .macro(let macro):
      guard let name = macro.definition.name else { return Text("<Macro anonymous>") }
      return Text("<Macro ") + Self.quoted(Text(name)) + Text(">")
    case .iterator, .method, .function, .cycler, .joiner: return Text("<\(typeName)>")
    }
  }

  private static func enclosed(
    _ opening: String, _ elements: [Value], _ closing: String, _ level: Int
  ) throws -> Text {
    let inside = try elements.map { try $0.represented(level: level + 1) }
    return Text(opening) + inside.joined(by: Text(", ")) + Text(closing)
  }

  private static func pairs(
    _ pairs: some Sequence<(Value, Value)>, _ level: Int
  ) throws -> [Text] {
    try pairs.map { key, value in
      try key.represented(level: level + 1) + Text(": ") + value.represented(level: level + 1)
    }
  }

  /// A float with the fewest digits that read back to it; an exponent below 1e-4 and from 1e16.
  static func python(_ number: Double) -> String {
    guard number.isFinite else { return number.isNaN ? "nan" : number < 0 ? "-inf" : "inf" }
    let sign = number.sign == .minus ? "-" : ""
    var (digits, point) = shortestDigits(number.magnitude)
    if number == 0 { return sign + "0.0" }
    if point > 16 || point < -3 {
      let exponent = point - 1
      let rest = digits.dropFirst()
      let magnitude = exponent.magnitude < 10 ? "0\(exponent.magnitude)" : "\(exponent.magnitude)"
      return sign + digits.prefix(1) + (rest.isEmpty ? "" : "." + rest) + "e"
        + (exponent < 0 ? "-" : "+") + magnitude
    }
    if point <= 0 { return sign + "0." + String(repeating: "0", count: -point) + digits }
    if digits.count <= point {
      digits += String(repeating: "0", count: point - digits.count)
      return sign + digits + ".0"
    }
    return sign + digits.prefix(point) + "." + digits.dropFirst(point)
  }

  /// The shortest digits d of a number 0.d × 10^point.
  private static func shortestDigits(_ number: Double) -> (digits: String, point: Int) {
    let parts = "\(number)".split(separator: "e", omittingEmptySubsequences: false)
    let exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
    let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    let whole = mantissa[0]
    let fraction = mantissa.count > 1 ? mantissa[1] : ""
    let all = String(whole + fraction)
    let leading = all.prefix { $0 == "0" }.count
    let digits = String(all.dropFirst(leading).reversed().drop { $0 == "0" }.reversed())
    return (digits, whole.count - leading + exponent)
  }

  /// A string in quotes, as Python's `repr` writes it.
  static func quoted(_ text: Text) -> Text {
    let points = text.points
    let quote: UInt32 = points.contains(0x27) && !points.contains(0x22) ? 0x22 : 0x27
    var units: [UInt32] = [quote]
    for unit in text.units {
      let point = unit.point
      switch point {
      case quote, 0x5C: units += [0x5C, unit]
      case 0x0A: units += escape("\\n", unit)
      case 0x0D: units += escape("\\r", unit)
      case 0x09: units += escape("\\t", unit)
      case 0x20..<0x7F: units.append(unit)
      case _ where point.isPrintable: units.append(unit)
      default:
        let (letter, width) = point < 0x100 ? ("x", 2) : point < 0x10000 ? ("u", 4) : ("U", 8)
        units += escape("\\\(letter)" + hexadecimal(point, width), unit)
      }
    }
    units.append(quote)
    return Text(units: units)
  }

  private static func escape(_ string: String, _ unit: UInt32) -> [UInt32] {
    string.unicodeScalars.map { $0.value | unit.mark }
  }

  static func hexadecimal(_ number: UInt32, _ width: Int) -> String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}
