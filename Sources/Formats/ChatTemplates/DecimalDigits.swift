/// The exact decimal digits of a float, and what they round to.
///
/// Python and C round the exact value, ties to even, so that 2.675 with two places is 2.67.
struct DecimalDigits {
  /// Digits d1 d2 d3 … of 0.d1d2d3… × 10^point, without zeros at the start.
  private(set) var digits: [UInt8]
  private(set) var point: Int

  /// The digits of a finite number's magnitude; none for zero.
  init(_ number: Double) {
    guard number != 0 else {
      digits = []
      point = 0
      return
    }
    let exponent = Int(number.exponent) - 52
    var mantissa = UInt64(number.significandBitPattern)
    var power = exponent
    if number.isSubnormal || number.exponent < -1022 {
      power = -1074
    } else {
      mantissa |= 1 << 52
    }
    let zeros = mantissa.trailingZeroBitCount
    mantissa >>= UInt64(zeros)
    power += zeros
    // m × 2^-k = m × 5^k / 10^k
    var big = BigNumber(mantissa)
    big.multiply(by: power >= 0 ? 2 : 5, times: power.magnitude)
    digits = big.decimalDigits
    point = digits.count + min(power, 0)
  }

  /// Rounds to digits behind the decimal point, ties to even; negative places round to tens.
  mutating func round(places: Int) { round(count: point + places) }

  /// Rounds to so many digits.
  mutating func round(count: Int) {
    guard count < digits.count else { return }
    guard count >= 0 else {
      digits = []
      point = 0
      return
    }
    let rest = digits[count...]
    let isTie = rest.first == 5 && rest.dropFirst().allSatisfy { $0 == 0 }
    let isOdd = count > 0 && digits[count - 1] % 2 == 1
    let isUp = isTie ? isOdd : (rest.first ?? 0) >= 5
    digits = Array(digits[..<count])
    guard isUp else { return }
    var index = count - 1
    while index >= 0, digits[index] == 9 {
      digits[index] = 0
      index -= 1
    }
    if index >= 0 {
      digits[index] += 1
    } else {
      digits.insert(1, at: 0)
      point += 1
    }
  }

  /// The digits before and behind the decimal point, the latter filled up with zeros.
  func parts(places: Int) -> (whole: String, fraction: String) {
    func digit(_ index: Int) -> Character {
      let value = digits.indices.contains(index) ? digits[index] : 0
      return Character(Unicode.Scalar(0x30 + value))
    }
    let whole = point > 0 ? String((0..<point).map(digit)) : "0"
    let fraction = String((0..<max(0, places)).map { digit(point + $0) })
    return (whole, fraction)
  }

  /// A finite number with so many places, as `%.2f` writes it.
  static func fixed(_ number: Double, places: Int) -> String {
    var digits = DecimalDigits(number)
    digits.round(places: places)
    let (whole, fraction) = digits.parts(places: places)
    return (number.sign == .minus ? "-" : "") + whole + (places > 0 ? "." + fraction : "")
  }

  /// A finite number as `%.2e` writes it.
  static func scientific(_ number: Double, places: Int) -> String {
    var digits = DecimalDigits(number)
    digits.round(count: places + 1)
    let all = (0...places).map { index -> Character in
      let value = digits.digits.indices.contains(index) ? digits.digits[index] : 0
      return Character(Unicode.Scalar(0x30 + value))
    }
    let exponent = digits.digits.isEmpty ? 0 : digits.point - 1
    let magnitude = exponent.magnitude < 10 ? "0\(exponent.magnitude)" : "\(exponent.magnitude)"
    return (number.sign == .minus ? "-" : "") + String(all[0])
      + (places > 0 ? "." + String(all[1...]) : "") + "e" + (exponent < 0 ? "-" : "+") + magnitude
  }

  /// A finite number as `%.6g` writes it, or as `#g` with its zeros.
  static func general(_ number: Double, digits count: Int, keepsZeros: Bool) -> String {
    let count = max(1, count)
    var digits = DecimalDigits(number)
    digits.round(count: count)
    let exponent = digits.digits.isEmpty ? 0 : digits.point - 1
    let isScientific = exponent < -4 || exponent >= count
    let text =
      isScientific
      ? scientific(number, places: count - 1) : fixed(number, places: count - 1 - exponent)
    if keepsZeros { return text }
    let parts = text.split(separator: "e", omittingEmptySubsequences: false)
    guard parts[0].contains(".") else { return text }
    var mantissa = parts[0]
    while mantissa.last == "0" { mantissa.removeLast() }
    if mantissa.last == "." { mantissa.removeLast() }
    return mantissa + (parts.count > 1 ? "e" + parts[1] : "")
  }

  /// Python's `round(number, places)`.
  static func rounded(_ number: Double, _ places: Int) -> Double {
    guard number.isFinite, places < 400 else { return number }
    guard places > -400 else { return Double(signOf: number, magnitudeOf: 0) }
    var digits = DecimalDigits(number)
    digits.round(places: places)
    let text = digits.digits.map { String($0) }.joined()
    let exponent = digits.point - digits.digits.count
    let magnitude = text.isEmpty ? 0 : Double(text + "e\(exponent)") ?? 0
    return Double(signOf: number, magnitudeOf: magnitude)
  }
}

/// A whole number of any size, for the digits of floats: at most 1,100 bits.
private struct BigNumber {
  private var words: [UInt32]

  init(_ value: UInt64) { words = [UInt32(truncatingIfNeeded: value), UInt32(value >> 32)] }

  mutating func multiply(by factor: UInt32, times: UInt) {
    for _ in 0..<times {
      var carry: UInt64 = 0
      for index in words.indices {
        let product = UInt64(words[index]) * UInt64(factor) + carry
        words[index] = UInt32(truncatingIfNeeded: product)
        carry = product >> 32
      }
      if carry > 0 { words.append(UInt32(carry)) }
    }
  }

  var decimalDigits: [UInt8] {
    var rest = words
    var digits: [UInt8] = []
    while rest.contains(where: { $0 != 0 }) {
      var remainder: UInt64 = 0
      for index in rest.indices.reversed() {
        let value = remainder << 32 | UInt64(rest[index])
        rest[index] = UInt32(value / 1_000_000_000)
        remainder = value % 1_000_000_000
      }
      for _ in 0..<9 {
        digits.append(UInt8(remainder % 10))
        remainder /= 10
      }
    }
    while digits.last == 0 { digits.removeLast() }
    return digits.reversed()
  }
}
