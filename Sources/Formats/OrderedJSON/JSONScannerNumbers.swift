extension JSONScanner {
  /// Reads a number, rounded correctly to the nearest `Double`, ties to even.
  ///
  /// One too small for a `Double` is 0; one too large is an error.
  public mutating func double() throws(JSONError) -> Double {
    let number = try decimal("expected a number")
    return try double(number)
  }

  /// Reads a whole number that is written without fraction and exponent.
  ///
  /// - Throws: where it is none, or outside of -2^63 … 2^63 − 1.
  public mutating func integer() throws(JSONError) -> Int {
    let number = try decimal("expected a whole number")
    guard number.isWhole else {
      throw failure("expected a whole number, without fraction or exponent", at: number.start)
    }
    guard let integer = number.integer else {
      throw failure("this whole number does not fit into 64 bits", at: number.start)
    }
    return integer
  }

  /// The text of a number, taken apart: ± mantissa × 10^exponent.
  struct Decimal {
    var start: Int
    var isNegative = false
    /// The first 19 significant digits, which always fit.
    var mantissa: UInt64 = 0
    var exponent = 0
    /// Whether it has neither fraction nor exponent.
    var isWhole = true
    /// Whether there were more than 19 significant digits, of which the rest is not in `mantissa`.
    var isCut = false

    /// The value, where it is whole and fits.
    var integer: Int? {
      guard isWhole, !isCut else { return nil }
      if isNegative, mantissa == UInt64(Int.max) + 1 { return Int.min }
      return Int(exactly: mantissa).map { isNegative ? -$0 : $0 }
    }
  }

  /// Reads a number's text. Twenty digits of a whole number are looked at once more by the caller.
  mutating func decimal(_ expectation: String) throws(JSONError) -> Decimal {
    var byte = peek() ?? 0
    var number = Decimal(start: position)
    if byte == UInt8(ascii: "-") {
      number.isNegative = true
      position += 1
      byte = position < end ? bytes[position] : 0
    }
    guard Self.isDigit(byte) else {
      throw unexpected(number.isNegative ? "expected a digit after '-'" : expectation)
    }
    if byte == UInt8(ascii: "0") {
      position += 1
      if position < end, Self.isDigit(bytes[position]) {
        throw failure("a number must not begin with a 0 before another digit", at: number.start)
      }
    } else {
      digits(&number, scale: 0)
    }
    if position < end, bytes[position] == UInt8(ascii: ".") {
      number.isWhole = false
      position += 1
      guard position < end, Self.isDigit(bytes[position]) else {
        throw unexpected("expected a digit after '.'")
      }
      digits(&number, scale: -1)
    }
    if position < end, bytes[position] | 0x20 == UInt8(ascii: "e") {
      number.isWhole = false
      position += 1
      try exponent(&number)
    }
    return number
  }

  /// Reads a run of digits; each of them moves the exponent by `scale`.
  private mutating func digits(_ number: inout Decimal, scale: Int) {
    while position < end {
      let digit = bytes[position] &- UInt8(ascii: "0")
      guard digit < 10 else { return }
      // 10^18 × 10 + 9 is below 2^64.
      if number.mantissa < 1_000_000_000_000_000_000 {
        number.mantissa = number.mantissa &* 10 &+ UInt64(digit)
        number.exponent += scale
      } else {
        number.isCut = true
      }
      position += 1
    }
  }

  private mutating func exponent(_ number: inout Decimal) throws(JSONError) {
    var isNegative = false
    if position < end {
      let byte = bytes[position]
      isNegative = byte == UInt8(ascii: "-")
      if isNegative || byte == UInt8(ascii: "+") { position += 1 }
    }
    guard position < end, Self.isDigit(bytes[position]) else {
      throw unexpected("expected a digit in the exponent")
    }
    var value = 0
    while position < end, Self.isDigit(bytes[position]) {
      // Far beyond every Double; the text itself still decides.
      if value < 1_000_000 { value = value * 10 + Int(bytes[position] - UInt8(ascii: "0")) }
      position += 1
    }
    number.exponent += isNegative ? -value : value
  }

  /// The nearest `Double`: computed exactly from the digits where they are few, else from the text.
  func double(_ number: Decimal) throws(JSONError) -> Double {
    if !number.isCut, let magnitude = DecimalRounding.double(number.mantissa, number.exponent) {
      return number.isNegative ? -magnitude : magnitude
    }
    let text = String(decoding: bytes[number.start..<position], as: UTF8.self)
    guard let value = Double(text), value.isFinite else {
      throw failure("this number is too large for a Double (beyond 1.8e308)", at: number.start)
    }
    return value
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }
}
