/// Filters that give numbers, or work on them.
enum NumberFilters {
  static func apply(_ name: String, to value: Value, _ arguments: Arguments) throws -> Value {
    switch name {
    case "abs":
      _ = try arguments.bound(to: name)
      guard let number = value.number else {
        throw Failure("a value of type \(value.typeName) has no absolute value")
      }
      return number.isLess(than: .integer(0)) ? try Arithmetic.signed("-", value) : Value(number)
    case "int":
      let given = try arguments.bound(to: name, ["default", "base"])
      let base = try given[1]?.index("the base") ?? 10
      return try integer(value, base) ?? given[0] ?? .integer(0)
    case "float":
      let given = try arguments.bound(to: name, ["default"])
      return try float(value).map { .float($0) } ?? given[0] ?? .float(0)
    case "round": return try rounded(value, arguments)
    default: return try fileSize(value, arguments)
    }
  }

  /// Python's `int(value)`, as far as the filter takes it; nil where the default counts.
  private static func integer(_ value: Value, _ base: Int) throws -> Value? {
    switch value {
    case .undefined(let message): throw Failure(message)
    case .string(let text):
      if let number = try PythonNumbers.integer(text.string, base) { return .integer(number) }
      guard let number = PythonNumbers.float(text.string) else { return nil }
      return try truncated(number)
    default:
      guard let number = value.number else { return nil }
      switch number {
      case .integer(let integer): return .integer(integer)
      case .float(let float): return try truncated(float)
      }
    }
  }

  private static func truncated(_ number: Double) throws -> Value? {
    guard number.isFinite else {
      // Of numbers, infinity is an error and not a number is none; of strings neither counts.
      return nil
    }
    guard let integer = Int128(exactly: number.rounded(.towardZero)) else {
      throw Failure("a number has more than 128 bits")
    }
    return .integer(integer)
  }

  private static func float(_ value: Value) throws -> Double? {
    switch value {
    case .undefined(let message): throw Failure(message)
    case .string(let text): PythonNumbers.float(text.string)
    default: value.number?.double
    }
  }

  private static func rounded(_ value: Value, _ arguments: Arguments) throws -> Value {
    let given = try arguments.bound(to: "round", ["precision", "method"])
    if case .undefined(let message) = value { throw Failure(message) }
    let method = try given[1]?.text("the method").string ?? "common"
    guard ["common", "ceil", "floor"].contains(method) else {
      throw Failure("round knows the methods common, ceil and floor, not '\(method)'")
    }
    guard let number = value.number else {
      throw Failure("a value of type \(value.typeName) cannot be rounded")
    }
    // `round(x, None)` gives a whole number.
    let isWhole = given[0]?.isNone ?? false
    let places = isWhole ? 0 : try given[0]?.index("the precision") ?? 0
    if method == "common" {
      switch number {
      case .integer(let integer):
        return places >= 0 ? .integer(integer) : try rounded(integer, toTens: -places)
      case .float(let float):
        let result = DecimalDigits.rounded(float, places)
        guard isWhole else { return .float(result) }
        guard let integer = Int128(exactly: result) else {
          throw Failure("this number cannot be made whole")
        }
        return .integer(integer)
      }
    }
    guard !isWhole else { throw Failure("the precision must be a whole number") }
    return .float(try cut(number, places, method == "ceil" ? .up : .down))
  }

  private static func cut(
    _ number: Number, _ places: Int, _ rule: FloatingPointRoundingRule
  ) throws -> Double {
    guard places.magnitude <= 38 else { throw Failure("the precision is too large") }
    let factor = try Arithmetic.operate("**", .integer(10), .integer(Int128(places)))
    guard let factor = factor.number,
      let product = try Arithmetic.operate("*", number, factor).number
    else { return 0 }
    guard product.double.isFinite else { throw Failure("this number cannot be made whole") }
    guard let whole = Int128(exactly: product.double.rounded(rule)) else {
      throw Failure("a number has more than 128 bits")
    }
    guard let result = try Arithmetic.operate("/", .integer(whole), factor).number else { return 0 }
    return result.double
  }

  /// The nearest multiple of a power of ten, the even one of two.
  private static func rounded(_ number: Int128, toTens places: Int) throws -> Value {
    guard places < 38 else { return .integer(0) }
    var unit: Int128 = 1
    for _ in 0..<places { unit *= 10 }
    let (quotient, rest) = number.magnitude.quotientAndRemainder(dividingBy: unit.magnitude)
    let half = unit.magnitude / 2
    let isUp = rest > half || rest == half && quotient % 2 == 1
    let (magnitude, overflow) = (quotient + (isUp ? 1 : 0))
      .multipliedReportingOverflow(by: unit.magnitude)
    guard !overflow, let result = Int128(exactly: magnitude) else {
      throw Failure("a number has more than 128 bits")
    }
    return .integer(number < 0 ? -result : result)
  }

  private static func fileSize(_ value: Value, _ arguments: Arguments) throws -> Value {
    let isBinary = try arguments.bound(to: "filesizeformat", ["binary"])[0]?.isTrue ?? false
    guard let bytes = try float(value), bytes.isFinite else {
      throw Failure("a value of type \(value.typeName) is no number of bytes")
    }
    let base: Double = isBinary ? 1024 : 1000
    if bytes == 1 { return .text("1 Byte") }
    if bytes < base { return .text("\(Int(bytes)) Bytes") }
    let prefixes = ["k", "M", "G", "T", "P", "E", "Z", "Y"]
    var unit = base
    for prefix in prefixes {
      unit *= base
      if bytes < unit || prefix == "Y" {
        let number = DecimalDigits.fixed(base * bytes / unit, places: 1)
        let name = isBinary ? (prefix == "k" ? "K" : prefix) + "iB" : prefix + "B"
        return .text("\(number) \(name)")
      }
    }
    return .none
  }
}

/// Numbers in strings as Python reads them.
enum PythonNumbers {
  /// `int(text, base)`; nil where the text is no such number.
  /// - Throws: where the number is beyond 128 bits, or there is no such base.
  static func integer(_ text: String, _ base: Int) throws -> Int128? {
    guard base == 0 || (2...36).contains(base) else { return nil }
    var digits = Substring(Text(text).trimmed().string)
    let isNegative = digits.hasPrefix("-")
    if isNegative || digits.hasPrefix("+") { digits.removeFirst() }
    var radix = base
    let prefixes = ["0b": 2, "0o": 8, "0x": 16]
    if let own = prefixes[digits.prefix(2).lowercased()], base == own || base == 0 {
      digits.removeFirst(2)
      if digits.hasPrefix("_") { digits.removeFirst() }
      radix = own
    } else if base == 0 {
      guard !digits.hasPrefix("0") || digits.allSatisfy({ $0 == "0" || $0 == "_" }) else {
        return nil
      }
      radix = 10
    }
    guard let plain = withoutUnderscores(digits), plain.first != "+", plain.first != "-" else {
      return nil
    }
    let isRight = plain.allSatisfy { $0.isASCII && Int(String($0), radix: radix) != nil }
    guard isRight, !plain.isEmpty else { return nil }
    guard let number = Int128(plain, radix: radix) else {
      throw Failure("a number has more than 128 bits")
    }
    return isNegative ? -number : number
  }

  /// `float(text)`; nil where the text is no number.
  static func float(_ text: String) -> Double? {
    let trimmed = Text(text).trimmed().string
    var rest = Substring(trimmed)
    if let sign = rest.first, sign == "-" || sign == "+" { rest.removeFirst() }
    let sign = trimmed.hasPrefix("-") ? -1.0 : 1.0
    switch rest.lowercased() {
    case "inf", "infinity": return sign * .infinity
    case "nan": return .nan
    default: break
    }
    guard let plain = withoutUnderscores(rest), let first = plain.first,
      first.isNumber || first == ".",
      plain.allSatisfy({ $0.isASCII && ($0.isNumber || ".eE+-".contains($0)) })
    else { return nil }
    return Double(plain).map { sign * $0 }
  }

  /// Single underscores between digits mean nothing; nil where one stands elsewhere.
  private static func withoutUnderscores(_ text: Substring) -> String? {
    let characters = Array(text)
    for (index, character) in characters.enumerated() where character == "_" {
      guard index > 0, index + 1 < characters.count, isDigit(characters[index - 1]),
        isDigit(characters[index + 1])
      else { return nil }
    }
    return String(characters.filter { $0 != "_" })
  }

  private static func isDigit(_ character: Character) -> Bool {
    character.isASCII && (character.isNumber || character.isLetter)
  }
}
