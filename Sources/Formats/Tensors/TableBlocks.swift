/// Blocks whose 4-bit codes name an entry of a table rather than a step of a line.
extension ReferenceQuantization {
  /// The 16 values of the IQ4 types: denser near zero, as trained weights are.
  /// Source: `kvalues_iq4nl` of ggml.
  package static let nonlinearValues: [Int8] = [
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113,
  ]

  /// The E2M1 numbers 0, ½, 1, 1½, 2, 3, 4, 6 and their negatives, doubled so that they are whole.
  /// Source: OCP Microscaling Formats (MX) 1.0, table 5. Negative zero is zero, as in ggml.
  package static let doubledE2M1: [Int8] = [
    0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12,
  ]

  /// `x = d table[q]`, 32 elements. Layout: `d:2 nibbles:16`.
  static func appendIQ4_NL(_ block: Span<UInt8>, to values: inout [Float]) {
    let d = scale(block, at: 0)
    for i in 0..<32 {
      values.append(d * Float(nonlinearValues[Int(nibble(block, at: 2, i, of: 32))]))
    }
  }

  /// `x = (d (s - 32)) table[q]`, 256 elements, `s` of 6 bits for every 32.
  /// Layout: `d:2 highPairsOfS:2 lowNibblesOfS:4 nibbles:128`; here the nibbles of `s` alternate
  /// low, high within each byte.
  static func appendIQ4_XS(_ block: Span<UInt8>, to values: inout [Float]) {
    let d = scale(block, at: 0)
    let highPairs = uint16(block, at: 2)
    for i in 0..<256 {
      let sub = i / 32
      let low = (block[4 + sub / 2] >> UInt8(sub % 2 * 4)) & 0x0F
      let high = UInt8((highPairs >> UInt16(2 * sub)) & 3)
      let s = Int(low | high << 4) - 32
      let q = nibble(block, at: 8 + sub * 16, i % 32, of: 32)
      values.append((d * Float(s)) * Float(nonlinearValues[Int(q)]))
    }
  }

  /// `x = 2^(e - 128) doubledE2M1[q]`, 32 elements. Layout: `e:1 nibbles:16`.
  static func appendMXFP4(_ block: Span<UInt8>, to values: inout [Float]) {
    let d = halfPowerOfTwo(exponent: block[0])
    for i in 0..<32 {
      values.append(d * Float(doubledE2M1[Int(nibble(block, at: 1, i, of: 32))]))
    }
  }

  /// `2^(e - 128)`, half of what the E8M0 number `e` means, since the table holds doubled values.
  /// For `e` of 0 and 1 it is subnormal. The MX specification calls 255 a NaN; ggml reads it
  /// as `2^127`, and so does this engine.
  package static func halfPowerOfTwo(exponent e: UInt8) -> Float {
    e < 2
      ? Float(bitPattern: 0x0020_0000 << UInt32(e))
      : Float(bitPattern: UInt32(e - 1) << 23)
  }
}
