// The standard library has no logarithm or power without a C library, and the same inputs must give
// the same plan on every machine; sums of a few terms are exact enough (relative error below 1e-12).

/// The logarithm of a positive number to base 2.
func binaryLogarithm(_ value: Int) -> Double { naturalLogarithm(Double(value)) / ln2 }

private let ln2 = 0.693147180559945309417232121458

/// The natural logarithm of a positive, finite number: the exponent apart, then the series of
/// artanh((m − 1) / (m + 1)) for a significand m near 1.
func naturalLogarithm(_ value: Double) -> Double {
  var significand = value.significand
  var exponent = Double(value.exponent)
  if significand > 1.414213562373095 {
    significand /= 2
    exponent += 1
  }
  let ratio = (significand - 1) / (significand + 1)
  var term = ratio
  var sum = 0.0
  // ratio² is at most 0.0295, so 12 terms leave less than 1e-18.
  for index in 0..<12 {
    sum += term / Double(2 * index + 1)
    term *= ratio * ratio
  }
  return exponent * ln2 + 2 * sum
}

/// A number from 0 to 1 to a power of at least 0.
func power(_ base: Double, _ exponent: Double) -> Double {
  if exponent == 0 || base >= 1 { return 1 }
  guard base > 0 else { return 0 }
  let scaled = naturalLogarithm(base) * exponent / ln2
  // Below the smallest number; also where the product is infinite.
  guard scaled > -1070 else { return 0 }
  let whole = scaled.rounded()
  let rest = (scaled - whole) * ln2
  var term = 1.0
  var sum = 0.0
  // |rest| is at most 0.35, so 16 terms leave less than 1e-20.
  for index in 1...16 {
    sum += term
    term *= rest / Double(index)
  }
  return Double(sign: .plus, exponent: Int(whole), significand: sum)
}
