/// Made weights: for measuring speed without a model.
extension ElementType {
  /// Blocks of pseudo-random weights, all finite, about evenly spread with a standard deviation near
  /// 0.02, as the matrices of published models have it: products of them keep activations finite.
  ///
  /// - Parameters:
  ///   - blockCount: blocks of the type.
  ///   - seed: equal seeds give equal bytes.
  /// - Returns: nil for a type that is not readable.
  public func madeBlocks(_ blockCount: Int, seed: UInt64) -> [UInt8]? {
    guard let scales = madeScales else { return nil }
    var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    // xorshift64 (Marsaglia 2003): quality does not matter here, speed does.
    func next() -> UInt64 {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return state
    }
    let byteCount = blockCount * bytesPerBlock
    var bytes: [UInt8] = []
    bytes.reserveCapacity(byteCount + 8)
    while bytes.count < byteCount {
      var word = next()
      for _ in 0..<8 {
        bytes.append(UInt8(truncatingIfNeeded: word))
        word >>= 8
      }
    }
    bytes.removeLast(bytes.count - byteCount)
    for block in 0..<blockCount {
      let variation = UInt32(truncatingIfNeeded: next() >> 40)
      for scale in scales { scale.write(to: &bytes, at: block * bytesPerBlock, variation) }
    }
    return bytes
  }

  /// Where blocks keep what random bits would make infinite, and what is there instead; nil for types
  /// that are not readable. Exponents follow from the spread of the integers beside them: a scale times
  /// that spread is near 0.02. A minimum cancels the mean of the integers.
  private var madeScales: [MadeScale]? {
    switch self {
    case .f32: [MadeScale(0, 0x3C80_0000, varied: 0x807F_FFFF, byteCount: 4)]
    case .f16: [MadeScale(0, 9 << 10, varied: 0x83FF)]
    case .bf16: [MadeScale(0, 121 << 7, varied: 0x807F)]
    case .q4_0: [MadeScale(0, 7 << 10)]
    case .q4_1: [MadeScale(0, 7 << 10), MadeScale(2, 0x8000 | 10 << 10)]
    case .q5_0: [MadeScale(0, 6 << 10)]
    case .q5_1: [MadeScale(0, 6 << 10), MadeScale(2, 0x8000 | 10 << 10)]
    case .q8_0, .iq4_nl: [MadeScale(0, 3 << 10)]
    case .mxfp4: [MadeScale(0, 120, varied: 1, byteCount: 1)]
    case .q2_K: [MadeScale(80, 6 << 10, varied: 0), MadeScale(82, 6 << 10 | 0x200, varied: 0)]
    case .q3_K: [MadeScale(108, 4 << 10)]
    case .q4_K: [MadeScale(0, 2 << 10), MadeScale(2, 5 << 10)]
    case .q5_K: [MadeScale(0, 1 << 10), MadeScale(2, 5 << 10)]
    // Subnormal, as in published files: 250 × 2⁻²⁴.
    case .q6_K: [MadeScale(208, 0xFA, varied: 0x1F)]
    case .iq4_xs: [MadeScale(0, 0xFA, varied: 0x1F)]
    default: nil
    }
  }
}

/// A scale inside a block: its offset, its bits, and those of them that vary from block to block.
private struct MadeScale {
  let offset: Int
  let bits: UInt32
  let varied: UInt32
  let byteCount: Int

  init(_ offset: Int, _ bits: UInt32, varied: UInt32 = 0x1FF, byteCount: Int = 2) {
    self.offset = offset
    self.bits = bits
    self.varied = varied
    self.byteCount = byteCount
  }

  func write(to bytes: inout [UInt8], at start: Int, _ variation: UInt32) {
    // The sign is the top bit of the value; of the variation it is taken from the bits below it.
    let random = variation | variation << 16
    let value = bits ^ (random & varied)
    for index in 0..<byteCount {
      bytes[start + offset + index] = UInt8(truncatingIfNeeded: value >> UInt32(8 * index))
    }
  }
}
