import RandomNumbers

/// The logarithm of a positive number to base 2, the same on every machine.
func binaryLogarithm(_ value: Int) -> Double {
  naturalLogarithm(Double(value)) / 0.693_147_180_559_945_3
}

/// A number from 0 to 1 to a power of at least 0, the same on every machine.
func power(_ base: Double, _ exponent: Double) -> Double {
  if exponent == 0 || base >= 1 { return 1 }
  guard base > 0 else { return 0 }
  return exponential(naturalLogarithm(base) * exponent)
}
