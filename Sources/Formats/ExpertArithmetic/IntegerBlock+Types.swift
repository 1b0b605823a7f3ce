import Tensors

/// The integers of each type; the layouts are told where `ReferenceQuantization` reads them.
extension IntegerBlock {
  private typealias Reference = ReferenceQuantization

  /// `w = q`, 2 bits; per 16: scale `s`, minimum `t`, 4 bits each.
  static func q2_K(_ block: Span<UInt8>) -> Self {
    Self(
      scale: Reference.scale(block, at: 80),
      weights: (0..<256).map { pair(block, at: 16, $0) },
      subScales: (0..<16).map { Int32(block[$0] & 0x0F) },
      offset: .minimums(
        scale: Reference.scale(block, at: 82), (0..<16).map { Int32(block[$0] >> 4) }))
  }

  /// `w = q − 4 (1 − h)`, 3 bits; per 16: scale `s − 32`, `s` of 6 bits.
  static func q3_K(_ block: Span<UInt8>) -> Self {
    Self(
      scale: Reference.scale(block, at: 108),
      weights: (0..<256).map { i in
        pair(block, at: 32, i) - 4 * (1 - Int32((block[i % 32] >> UInt8(i / 32)) & 1))
      },
      subScales: (0..<16).map { j in
        let low = Reference.nibble(block, at: 96, j, of: 16)
        let high = (block[104 + j % 4] >> UInt8(j / 4 * 2)) & 3
        return Int32(low | high << 4) - 32
      })
  }

  /// `w = q`, 4 bits; per 32: scale and minimum of 6 bits.
  static func q4_K(_ block: Span<UInt8>) -> Self {
    sixBitScaled(
      block,
      weights: (0..<256).map {
        Int32(Reference.nibble(block, at: 16 + $0 / 64 * 32, $0 % 64, of: 64))
      })
  }

  /// `w = q`, 5 bits; per 32: scale and minimum of 6 bits.
  static func q5_K(_ block: Span<UInt8>) -> Self {
    sixBitScaled(
      block,
      weights: (0..<256).map { i in
        let fifth = (block[16 + i % 32] >> UInt8(i / 32)) & 1
        return Int32(Reference.nibble(block, at: 48 + i / 64 * 32, i % 64, of: 64) | fifth << 4)
      })
  }

  /// `w = q − 32`, 6 bits; per 16: a signed byte.
  static func q6_K(_ block: Span<UInt8>) -> Self {
    Self(
      scale: Reference.scale(block, at: 208),
      weights: (0..<256).map { i in
        let low = Reference.nibble(block, at: i / 128 * 64, i % 128, of: 128)
        return Int32(low) + pair(block, at: 128, i) * 16 - 32
      },
      subScales: (0..<16).map { Int32(Int8(bitPattern: block[192 + $0])) })
  }

  /// `w = table[q]`, 4 bits; per 32: scale `s − 32`, `s` of 6 bits.
  static func iq4_xs(_ block: Span<UInt8>) -> Self {
    let highPairs = Reference.uint16(block, at: 2)
    return Self(
      scale: Reference.scale(block, at: 0),
      weights: (0..<256).map { i in
        let q = Reference.nibble(block, at: 8 + i / 32 * 16, i % 32, of: 32)
        return Int32(Reference.nonlinearValues[Int(q)])
      },
      subScales: (0..<8).map { j in
        let low = (block[4 + j / 2] >> UInt8(j % 2 * 4)) & 0x0F
        let high = UInt8((highPairs >> UInt16(2 * j)) & 3)
        return Int32(low | high << 4) - 32
      })
  }

  /// The types with blocks of 32.
  static func block32(_ block: Span<UInt8>, _ type: ElementType) -> Self {
    func nibbles(at offset: Int) -> [Int32] {
      (0..<32).map { Int32(Reference.nibble(block, at: offset, $0, of: 32)) }
    }
    func fiveBits(at offset: Int) -> [Int32] {
      let fifths = Reference.uint32(block, at: offset)
      return nibbles(at: offset + 4).enumerated().map { i, q in
        q + Int32((fifths >> UInt32(i)) & 1) * 16
      }
    }
    let d = type == .mxfp4 ? 0 : Reference.scale(block, at: 0)
    switch type {
    case .q4_0: return Self(scale: d, weights: nibbles(at: 2).map { $0 - 8 })
    case .q5_0: return Self(scale: d, weights: fiveBits(at: 2).map { $0 - 16 })
    case .q4_1:
      let offset = Offset.constant(Reference.scale(block, at: 2))
      return Self(scale: d, weights: nibbles(at: 4), offset: offset)
    case .q5_1:
      let offset = Offset.constant(Reference.scale(block, at: 2))
      return Self(scale: d, weights: fiveBits(at: 4), offset: offset)
    case .q8_0:
      return Self(scale: d, weights: (0..<32).map { Int32(Int8(bitPattern: block[2 + $0])) })
    case .iq4_nl:
      return Self(
        scale: d, weights: nibbles(at: 2).map { Int32(Reference.nonlinearValues[Int($0)]) })
    case .mxfp4:
      return Self(
        scale: Reference.halfPowerOfTwo(exponent: block[0]),
        weights: nibbles(at: 1).map { Int32(Reference.doubledE2M1[Int($0)]) })
    default: preconditionFailure("\(type.name) has no blocks of 32")
    }
  }

  /// d, dmin and the scales of Q4_K and Q5_K.
  private static func sixBitScaled(_ block: Span<UInt8>, weights: [Int32]) -> Self {
    let scales = (0..<8).map { Reference.sixBitScales(block, sub: $0) }
    return Self(
      scale: Reference.scale(block, at: 0), weights: weights,
      subScales: scales.map { Int32($0.0) },
      offset: .minimums(scale: Reference.scale(block, at: 2), scales.map { Int32($0.1) }))
  }

  /// Bit pair `i` of 256 in 64 bytes: 32 bytes hold 128 numbers, four runs of 32 from the lowest bits.
  private static func pair(_ block: Span<UInt8>, at offset: Int, _ i: Int) -> Int32 {
    Int32((block[offset + i / 128 * 32 + i % 32] >> UInt8(i / 32 % 4 * 2)) & 3)
  }
}
