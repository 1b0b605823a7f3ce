/// Logarithm and sigmoid with the same bits on every machine.
///
/// The C library's differ between systems, and ranks that differ in one bit make replays differ.
/// They serve features and probabilities, so five digits are plenty; both are a few nanoseconds.
enum Elementary {
  /// The natural logarithm of a positive normal number, to 2·10⁻⁵: the exponent's share plus
  /// 2·artanh((f−1)⁄(f+1)) for the significand f.
  @inline(__always)
  static func logarithm(_ x: Double) -> Double {
    let bits = x.bitPattern
    let exponent = Double(Int(bits >> 52) - 1023)
    let significand = Double(bitPattern: bits & 0x000F_FFFF_FFFF_FFFF | 0x3FF0_0000_0000_0000)
    let t = (significand - 1) / (significand + 1)
    let square = t * t
    let series = 1 + square * (1.0 / 3 + square * (1.0 / 5 + square * (1.0 / 7)))
    return exponent * 0.693_147_180_559_945_3 + 2 * t * series
  }

  /// 1 ⁄ (1 + e^−x), to 10⁻⁶; x is limited to ±30.
  @inline(__always)
  static func sigmoid(_ x: Double) -> Double {
    let limited = min(max(-x, -30), 30)
    // Adding 1.5 × 2^52 rounds to the nearest whole number and leaves it in the lowest bits, from
    // where it goes into an exponent's place; no conversion, so that the loop can be vectorised.
    let shifted = limited * 1.442_695_040_888_963_4 + 0x1.8p52
    let power = shifted - 0x1.8p52
    let rest = limited - power * 0.693_147_180_559_945_3
    let series =
      1 + rest * (1 + rest * (1.0 / 2 + rest * (1.0 / 6 + rest * (1.0 / 24 + rest * (1.0 / 120)))))
    let scale = Double(bitPattern: (shifted.bitPattern &+ 1023) &<< 52)
    return 1 / (1 + series * scale)
  }
}
