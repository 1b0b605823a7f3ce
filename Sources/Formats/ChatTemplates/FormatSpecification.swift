/// How a value is to be written: Python's format specification, which `%` shares in part.
struct FormatSpecification {
  var fill: UInt32 = 0x20
  /// `<`, `>`, `^` or `=`; nil where the value decides.
  var alignment: UInt32?
  /// `+`, `-` or a blank.
  var sign: UInt32 = 0x2D
  var isAlternate = false
  var width = 0
  /// `,` or `_` between groups of digits.
  var grouping: UInt32?
  var precision: Int?
  var type: UInt32?

  /// The largest width and precision.
  static let maximum = 100_000

  init() {}

  /// Reads what stands behind the colon of `{:…}`.
  init(_ text: Text) throws {
    let points = text.points
    var index = 0
    let alignments: Set<UInt32> = [0x3C, 0x3E, 0x5E, 0x3D]
    func peek(_ offset: Int = 0) -> UInt32? {
      index + offset < points.count ? points[index + offset] : nil
    }
    if let second = peek(1), alignments.contains(second) {
      (fill, alignment) = (points[0], second)
      index = 2
    } else if let first = peek(), alignments.contains(first) {
      alignment = first
      index = 1
    }
    if let point = peek(), point == "+" || point == "-" || point == " " {
      sign = point
      index += 1
    }
    if peek() == 0x23 {
      isAlternate = true
      index += 1
    }
    if peek() == 0x30 {
      if alignment == nil { (fill, alignment) = (0x30, 0x3D) }
      index += 1
    }
    width = try Self.number(points, &index) ?? 0
    if let point = peek(), point == "," || point == "_" {
      grouping = point
      index += 1
    }
    if peek() == 0x2E {
      index += 1
      guard let number = try Self.number(points, &index) else {
        throw Failure("a format has a point without digits")
      }
      precision = number
    }
    if let point = peek() {
      type = point
      index += 1
    }
    guard index == points.count else { throw Failure("the format '\(text.string)' is wrong") }
  }

  static func number(_ points: [UInt32], _ index: inout Int) throws -> Int? {
    var number: Int?
    while index < points.count, points[index].isASCIIDigit {
      number = (number ?? 0) * 10 + Int(points[index] - 0x30)
      guard let number, number <= maximum else {
        throw Failure.limit("a width or precision is above \(maximum)")
      }
      index += 1
    }
    return number
  }

  /// A value as this format wants it.
  func apply(_ value: Value) throws -> Text {
    switch value {
    case .string(let text): return try string(text)
    case .integer(let number): return try whole(number)
    case .bool(let bool): return try whole(bool ? 1 : 0)
    case .float(let number): return try real(number)
    default: throw Failure("a value of type \(value.typeName) takes no format")
    }
  }

  private func string(_ text: Text) throws -> Text {
    guard type == nil || type == 0x73, alignment != 0x3D, grouping == nil, sign == 0x2D,
      !isAlternate
    else { throw Failure("this format is not for strings") }
    return padded(precision.map { text[0..<min($0, text.count)] } ?? text, sign: Text(), "<")
  }

  private func whole(_ number: Int128) throws -> Text {
    guard let type else { return try integer(number, radix: 10, prefix: "") }
    switch type {
    case "d", "n": return try integer(number, radix: 10, prefix: "")
    case "b": return try integer(number, radix: 2, prefix: "0b")
    case "o": return try integer(number, radix: 8, prefix: "0o")
    case "x": return try integer(number, radix: 16, prefix: "0x")
    case "X": return try integer(number, radix: 16, prefix: "0X")
    case "c":
      guard let point = UInt32(exactly: number), Unicode.Scalar(point) != nil else {
        throw Failure("\(number) is no character")
      }
      return padded(Text(units: [point]), sign: Text(), "<")
    default: return try real(Double(number))
    }
  }

  func integer(_ number: Int128, radix: Int, prefix: String) throws -> Text {
    guard precision == nil else { throw Failure("a whole number takes no precision") }
    var digits = String(number.magnitude, radix: radix, uppercase: prefix == "0X")
    if let grouping { digits = Self.grouped(digits, by: grouping, size: radix == 10 ? 3 : 4) }
    return padded(
      Text(digits), sign: Text(signText(number < 0) + (isAlternate ? prefix : "")), ">")
  }

  private func real(_ number: Double) throws -> Text {
    let isPercent = type == 0x25
    let scaled = isPercent ? number * 100 : number
    var text: String
    if scaled.isFinite {
      text = try digits(of: scaled.magnitude)
      if isAlternate, !text.contains(".") {
        let exponent = text.firstIndex(of: "e") ?? text.endIndex
        text.insert(".", at: exponent)
      }
      if let grouping {
        let whole = text.prefix { $0.isNumber }
        text =
          Self.grouped(String(whole), by: grouping, size: 3) + text.dropFirst(whole.count)
      }
    } else {
      text = scaled.isNaN ? "nan" : "inf"
    }
    let isUpper = type == 0x45 || type == 0x46 || type == 0x47
    text = (isUpper ? text.uppercased() : text) + (isPercent ? "%" : "")
    return padded(Text(text), sign: Text(signText(scaled.sign == .minus)), ">")
  }

  /// A number's digits by the format's type.
  func digits(of number: Double) throws -> String {
    switch type {
    case nil:
      guard let precision else { return Value.python(number) }
      return Self.short(number, max(1, precision))
    case "f"?, "F"?, "%"?: return DecimalDigits.fixed(number, places: precision ?? 6)
    case "e"?, "E"?: return DecimalDigits.scientific(number, places: precision ?? 6)
    case "g"?, "G"?, "n"?:
      return DecimalDigits.general(number, digits: precision ?? 6, keepsZeros: isAlternate)
    case let type?:
      throw Failure("there is no format '\(Text(units: [type]).string)' for numbers")
    }
  }

  /// A precision without a type: like `g`, but always with a point or an exponent.
  private static func short(_ number: Double, _ count: Int) -> String {
    let scientific = DecimalDigits.scientific(number, places: count - 1)
    let exponent = Int(scientific.split(separator: "e").last ?? "0") ?? 0
    if exponent < -4 || exponent >= count - 1, number != 0 {
      let parts = scientific.split(separator: "e")
      var mantissa = String(parts[0])
      if mantissa.contains(".") {
        while mantissa.last == "0" { mantissa.removeLast() }
        if mantissa.last == "." { mantissa.removeLast() }
      }
      return mantissa + "e" + parts[1]
    }
    let text = DecimalDigits.general(number, digits: count, keepsZeros: false)
    return text.contains(".") ? text : text + ".0"
  }

  private func signText(_ isNegative: Bool) -> String {
    if isNegative { return "-" }
    return sign == 0x2B ? "+" : sign == 0x20 ? " " : ""
  }

  private static func grouped(_ digits: String, by separator: UInt32, size: Int) -> String {
    var result: [Character] = []
    for (index, digit) in digits.reversed().enumerated() {
      if index > 0, index % size == 0 { result.append(separator == 0x2C ? "," : "_") }
      result.append(digit)
    }
    return String(result.reversed())
  }

  /// Fills a text up to the width.
  func padded(_ text: Text, sign: Text, _ usual: Unicode.Scalar) -> Text {
    let missing = max(0, width - text.count - sign.count)
    func filling(_ count: Int) -> Text { Text(units: Array(repeating: fill, count: count)) }
    switch alignment ?? usual.value {
    case 0x3C: return sign + text + filling(missing)
    case 0x5E: return filling(missing / 2) + sign + text + filling(missing - missing / 2)
    case 0x3D: return sign + filling(missing) + text
    default: return filling(missing) + sign + text
    }
  }
}
