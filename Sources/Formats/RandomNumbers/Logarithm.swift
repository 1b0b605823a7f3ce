/// The natural logarithm of a positive finite number, with the same bits on every machine; see
/// `exponential` for why that matters.
///
/// x = 2^k m with m from √½ to √2, ln m = 2 artanh s with s = (m − 1) / (m + 1), which is at most
/// 0.172 in size, and artanh by its Taylor series to s^23 (the first term left out is below 3e-21).
/// Relative error below 1e-15. 0 gives −∞; a negative number gives NaN.
public func naturalLogarithm(_ x: Double) -> Double {
  guard x > 0, x.isFinite else { return x == 0 ? -.infinity : x < 0 ? .nan : x }
  var k = Double(x.exponent)
  var m = x.significand
  // √2, rounded: which side a number near it falls to does not matter.
  if m > 1.4142135623730951 {
    m /= 2
    k += 1
  }
  let s = (m - 1) / (m + 1)
  let square = s * s
  var sum = 1.0 / 23
  var divisor = 21.0
  while divisor > 0 {
    sum = sum * square + 1 / divisor
    divisor -= 2
  }
  // ln 2 in two parts, so that k × high is exact (Cody and Waite).
  let high = 0x1.62E42FEEp-1
  let low = 0x1.A39EF35793C76p-33
  return k * high + (2 * s * sum + k * low)
}
