/// Logarithm to base 2 of a positive, finite, normal number, the same on every machine.
///
/// The pure targets have no C library, and a policy must not depend on which one it would be. With
/// m in [√½, √2) and s = (m − 1)/(m + 1), log m = 2·(s + s³/3 + s⁵/5 + …); |s| < 0.172, so the first
/// term left out is below 4e-9, far finer than the bins it is used for.
func binaryLogarithm(_ value: Double) -> Double {
  var exponent = Double(value.exponent)
  var mantissa = value.significand
  if mantissa > 1.414_213_562_373_095 {
    mantissa *= 0.5
    exponent += 1
  }
  let s = (mantissa - 1) / (mantissa + 1)
  let square = s * s
  let series = 1 + square * (1.0 / 3 + square * (0.2 + square * (1.0 / 7 + square * (1.0 / 9))))
  // 2 / ln 2, because the series gives half the natural logarithm.
  return exponent + 2.885_390_081_777_927 * s * series
}

/// Two to a power between −1000 and 1000, the same on every machine; relative error below 1e-7.
func powerOfTwo(_ power: Double) -> Double {
  let whole = power.rounded()
  let x = (power - whole) * 0.693_147_180_559_945_3
  // Taylor's series of eˣ for |x| ≤ 0.347; the first term left out is below 2e-8.
  let series =
    1 + x * (1 + x * (0.5 + x * (1.0 / 6 + x * (1.0 / 24 + x * (1.0 / 120 + x / 720)))))
  return Double(sign: .plus, exponent: Int(whole), significand: series)
}
