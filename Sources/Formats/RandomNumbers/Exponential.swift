/// e to the power `x`, for `x` at most 0, with the same bits on every machine.
///
/// The C library's `exp` differs in its last bit between versions and between processors with and
/// without fused multiply-add; one bit can move a draw over the edge between two tokens. This one
/// uses only IEEE additions and multiplications: x = k ln 2 + r with |r| at most ln 2 / 2, e^r by its
/// Taylor series to the 13th power (the first term left out is below 5e-18), then a scaling by 2^k,
/// which is exact. Relative error below 1e-15. Below -700 the result is 0.
public func exponential(_ x: Double) -> Double {
  guard x > -700 else { return 0 }
  // ln 2 in two parts, so that k × high is exact: high has its last 32 bits clear (Cody and Waite).
  let high = 0x1.62E42FEEp-1
  let low = 0x1.A39EF35793C76p-33
  // Rounds to the nearest whole number: x is at most 0.
  let k = Double(Int(x * 1.4426950408889634 - 0.5))
  let r = (x - k * high) - k * low
  // Horner's form: 1/13!, 1/12!, ... 1/1!, 1.
  var sum = 1.0 / 6_227_020_800
  sum = sum * r + 1.0 / 479_001_600
  sum = sum * r + 1.0 / 39_916_800
  sum = sum * r + 1.0 / 3_628_800
  sum = sum * r + 1.0 / 362_880
  sum = sum * r + 1.0 / 40_320
  sum = sum * r + 1.0 / 5_040
  sum = sum * r + 1.0 / 720
  sum = sum * r + 1.0 / 120
  sum = sum * r + 1.0 / 24
  sum = sum * r + 1.0 / 6
  sum = sum * r + 1.0 / 2
  sum = sum * r + 1
  sum = sum * r + 1
  return sum * Double(sign: .plus, exponent: Int(k), significand: 1)
}
