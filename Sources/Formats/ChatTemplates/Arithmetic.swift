/// Calculations with numbers as in Python; what leaves 128 bits is an error.
enum Arithmetic {
  static func signed(_ sign: String, _ value: Value) throws -> Value {
    if case .undefined(let message) = value { throw Failure(message) }
    guard let number = value.number else {
      throw Failure("'\(sign)' cannot stand before a \(value.typeName)")
    }
    switch number {
    case .integer(let integer):
      if sign == "+" { return .integer(integer) }
      return .integer(try checked(Int128.zero.subtractingReportingOverflow(integer)))
    case .float(let float): return .float(sign == "-" ? -float : float)
    }
  }

  static func operate(_ sign: String, _ left: Number, _ right: Number) throws -> Value {
    if case .integer(let one) = left, case .integer(let two) = right {
      return try operate(sign, one, two)
    }
    let (one, two) = (left.double, right.double)
    switch sign {
    case "+": return .float(one + two)
    case "-": return .float(one - two)
    case "*": return .float(one * two)
    case "**": return .float(try power(one, two))
    default: break
    }
    guard two != 0 else { throw Failure("division by zero") }
    switch sign {
    case "/": return .float(one / two)
    case "//": return .float(floorDivided(one, two))
    default: return .float(remainder(one, two))
    }
  }

  private static func operate(_ sign: String, _ one: Int128, _ two: Int128) throws -> Value {
    switch sign {
    case "+": return .integer(try checked(one.addingReportingOverflow(two)))
    case "-": return .integer(try checked(one.subtractingReportingOverflow(two)))
    case "*": return .integer(try checked(one.multipliedReportingOverflow(by: two)))
    case "**": return try power(one, two)
    default: break
    }
    guard two != 0 else { throw Failure("division by zero") }
    if sign == "/" { return .float(Double(one) / Double(two)) }
    let quotient = try checked(one.dividedReportingOverflow(by: two))
    let rest = one - quotient * two
    // Python rounds down, so that the remainder has the divisor's sign.
    let isOff = rest != 0 && (rest < 0) != (two < 0)
    if sign == "//" { return .integer(isOff ? quotient - 1 : quotient) }
    return .integer(isOff ? rest + two : rest)
  }

  private static func checked(_ result: (partialValue: Int128, overflow: Bool)) throws -> Int128 {
    guard !result.overflow else { throw Failure("a number has more than 128 bits") }
    return result.partialValue
  }

  private static func floorDivided(_ one: Double, _ two: Double) -> Double {
    let quotient = (one - remainder(one, two)) / two
    if quotient == 0 { return Double(signOf: one / two, magnitudeOf: 0) }
    return quotient.isFinite ? quotient.rounded() : quotient
  }

  private static func remainder(_ one: Double, _ two: Double) -> Double {
    let rest = one.truncatingRemainder(dividingBy: two)
    if rest == 0 { return Double(signOf: two, magnitudeOf: 0) }
    return (rest < 0) != (two < 0) ? rest + two : rest
  }

  private static func power(_ base: Int128, _ exponent: Int128) throws -> Value {
    if exponent < 0 {
      guard base != 0 else { throw Failure("zero cannot be raised to a negative power") }
      return .float(try power(Double(base), Double(exponent)))
    }
    if base == 0 || base == 1 { return .integer(exponent == 0 ? 1 : base) }
    if base == -1 { return .integer(exponent % 2 == 0 ? 1 : -1) }
    guard exponent < 128 else { throw Failure("a number has more than 128 bits") }
    var result: Int128 = 1
    for _ in 0..<Int(exponent) {
      result = try checked(result.multipliedReportingOverflow(by: base))
    }
    return .integer(result)
  }

  /// Whole powers by squaring, in numbers of twice the precision, so that the result is rounded once;
  /// others are not available without a library of functions.
  private static func power(_ base: Double, _ exponent: Double) throws -> Double {
    if exponent == 0.5, base >= 0 { return base.squareRoot() }
    guard let whole = Int(exactly: exponent), whole.magnitude <= 1 << 20 else {
      throw Failure("powers are available for whole exponents only")
    }
    guard base != 0 || whole >= 0 else {
      throw Failure("zero cannot be raised to a negative power")
    }
    var (result, factor, rest) = (LongDouble(1), LongDouble(base), whole.magnitude)
    while rest > 0 {
      if rest % 2 == 1 { result = result * factor }
      rest /= 2
      if rest > 0 { factor = factor * factor }
    }
    let value = whole < 0 ? result.reciprocal : result.high
    guard value.isFinite || !base.isFinite else { throw Failure("a number is too large") }
    return value
  }
}

/// A number as the sum of two floats, the second below the last digit of the first.
private struct LongDouble {
  var high: Double
  var low = 0.0

  init(_ number: Double) { high = number }

  static func * (left: LongDouble, right: LongDouble) -> LongDouble {
    var product = LongDouble(left.high * right.high)
    guard product.high.isFinite, product.high != 0 else { return product }
    let error = (-product.high).addingProduct(left.high, right.high)
    let rest = error + (left.high * right.low + left.low * right.high)
    let sum = product.high + rest
    product.low = rest - (sum - product.high)
    product.high = sum
    return product
  }

  /// One divided by the number, rounded.
  var reciprocal: Double {
    let quotient = 1 / high
    guard quotient.isFinite, quotient != 0 else { return quotient }
    let rest = 1.0.addingProduct(-quotient, high) - quotient * low
    return quotient + rest / high
  }
}

/// `value[start:stop:step]`.
enum Slicing {
  static func slice(_ value: Value, start: Value?, stop: Value?, step: Value?) throws -> Value {
    if case .undefined(let message) = value { throw Failure(message) }
    guard let count = try value.count(), !isUnordered(value) else {
      throw Failure("a value of type \(value.typeName) cannot be sliced")
    }
    let indices = try indices(count, start.given, stop.given, step.given)
    switch value {
    case .string(let text):
      return .string(Text(units: indices.map { text.units[$0] }, isMarkup: text.isMarkup))
    case .list(let items): return try .list(indices.map { items.elements[$0] })
    case .tuple(let items): return try .tuple(indices.map { items.elements[$0] })
    case .range(let range):
      let step = try step.given?.index("a step") ?? 1
      let first = indices.first.map { range[$0] } ?? range.start
      let width = range.step &* Int128(step)
      return .range(
        try NumberRange(
          start: first, stop: first &+ width &* Int128(indices.count), step: width))
    default: throw Failure("a value of type \(value.typeName) cannot be sliced")
    }
  }

  private static func isUnordered(_ value: Value) -> Bool {
    switch value {
    case .string, .list, .tuple, .range: false
    default: true
    }
  }

  static func indices(
    _ count: Int, _ start: Value?, _ stop: Value?, _ step: Value?
  ) throws -> [Int] {
    let step = try step?.index("a step") ?? 1
    guard step != 0 else { throw Failure("the step of a slice must not be zero") }
    func place(_ value: Value?, _ missing: Int) throws -> Int {
      guard let value else { return missing }
      let index = try value.index("a bound of a slice")
      let place = index < 0 ? count &+ index : index
      return step > 0 ? min(max(place, 0), count) : min(max(place, -1), count - 1)
    }
    let first = try place(start, step > 0 ? 0 : count - 1)
    let last = try place(stop, step > 0 ? count : -1)
    if step == 1 { return first < last ? Array(first..<last) : [] }
    // A step beyond the length reaches one element, like any step of at least the length.
    let width = max(min(step, count + 1), -count - 1)
    return Array(stride(from: first, to: last, by: width))
  }
}
