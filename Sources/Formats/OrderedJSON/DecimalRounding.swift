/// Rounds mantissa × 10^exponent to the nearest `Double`, with integers only.
///
/// Numbers in traces have up to 17 digits and small exponents. For those the quotient by a power of
/// five fits into 64 bits and a remainder that says on which side of a tie it lies, which takes one
/// division, several times less than the general conversion, which needs a string.
enum DecimalRounding {
  /// 5^0 … 5^27, all that fit into 64 bits.
  private static let powersOfFive: [UInt64] = (0...27).map { exponent in
    (0..<exponent).reduce(1) { power, _ in power * 5 }
  }

  /// The nearest `Double`, ties to even; nil where the exponent is outside of -27 … 22 or (above 0)
  /// the value is not exact, for the caller to convert in another way.
  static func double(_ mantissa: UInt64, _ exponent: Int) -> Double? {
    if exponent == 0 || mantissa == 0 { return Double(mantissa) }
    if exponent > 0 {
      // Both factors are exact Doubles, so their product is rounded once (Clinger, PLDI 1990).
      guard exponent <= 22, mantissa < 1 << 53 else { return nil }
      var power = 1.0
      for _ in 0..<exponent { power *= 10 }
      return Double(mantissa) * power
    }
    guard exponent >= -27 else { return nil }
    // m / 10^e = m / 5^e × 2^-e. Both are shifted until their highest bit is set: n < 2d.
    let divisor = powersOfFive[-exponent]
    let mantissaShift = mantissa.leadingZeroBitCount
    let divisorShift = divisor.leadingZeroBitCount
    let n = mantissa << UInt64(mantissaShift)
    let d = divisor << UInt64(divisorShift)
    // n × 2^63 / d lies in (2^62, 2^64), and its high word n / 2 is below d, as the division demands.
    let (quotient, remainder) = d.dividingFullWidth((n >> 1, n << 63))
    // The lowest bit stands for all bits that were cut; conversion to Double then rounds correctly,
    // for it keeps 53 of at least 63 bits.
    let sticky = quotient | (remainder == 0 ? 0 : 1)
    let scale = exponent - 63 - mantissaShift + divisorShift
    // At least 10^-27, so never subnormal: scaling by a power of two is exact.
    return Double(sticky) * Double(sign: .plus, exponent: scale, significand: 1)
  }
}
