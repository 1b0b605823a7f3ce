/// e to the power of x, the same bits on every machine.
///
/// The C library's differs between systems, and ranks that differ in one bit make replays differ.
/// Reduces x to n·ln 2 + r with |r| ≤ ln 2 ⁄ 2 and sums the Taylor series of r to its 11th power;
/// the error is below 10⁻¹³. Limits x to ±700.
func exponential(_ x: Double) -> Double {
  let limited = min(max(x, -700), 700)
  let power = (limited * 1.442695040888963407).rounded()
  let rest = limited - power * 0.6931471805599453094
  var sum = 1.0
  var divisor = 11.0
  while divisor > 0 {
    sum = 1 + rest / divisor * sum
    divisor -= 1
  }
  return sum * Double(sign: .plus, exponent: Int(power), significand: 1)
}
