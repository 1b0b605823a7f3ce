/// Super-blocks of 256 elements: one or two F16 scales, and small integer scales for sub-blocks
/// of 16 or 32 elements (the "K" types of ggml).
///
/// Within a super-block the low bits of 128 (or, with nibbles, 64) elements share 32 bytes: byte
/// `l` of group `g` holds, from its lowest bits upwards, element `l` of each successive sub-run
/// of 32.
extension ReferenceQuantization {
  /// `x = (d s) q - (dmin t)`: `q` of 2 bits, `s` and `t` of 4 bits for every 16 elements.
  /// Layout: `st:16 q:64 d:2 dmin:2`.
  static func appendQ2_K(_ block: Span<UInt8>, to values: inout [Float]) {
    let d = scale(block, at: 80)
    let dmin = scale(block, at: 82)
    for i in 0..<256 {
      let scales = block[i / 16]
      let q = (block[16 + (i / 128) * 32 + i % 32] >> UInt8(i / 32 % 4 * 2)) & 3
      values.append((d * Float(scales & 0x0F)) * Float(q) - dmin * Float(scales >> 4))
    }
  }

  /// `x = (d (s - 32)) (q - 4 (1 - h))`: `q` of 2 bits, `h` a third bit, `s` of 6 bits for every 16
  /// elements. Layout: `h:32 q:64 s:12 d:2`.
  static func appendQ3_K(_ block: Span<UInt8>, to values: inout [Float]) {
    let d = scale(block, at: 108)
    for i in 0..<256 {
      let sub = i / 16
      // Low 4 bits of scale `sub`: nibbles of bytes 0…7; high 2 bits: bit pairs of bytes 8…11.
      let low = nibble(block, at: 96, sub, of: 16)
      let high = (block[104 + sub % 4] >> UInt8(sub / 4 * 2)) & 3
      let s = Int(low | high << 4) - 32
      let q = Int((block[32 + (i / 128) * 32 + i % 32] >> UInt8(i / 32 % 4 * 2)) & 3)
      let h = Int((block[i % 32] >> UInt8(i / 32)) & 1)
      values.append((d * Float(s)) * Float(q - 4 * (1 - h)))
    }
  }

  /// `x = (d s) q - (dmin t)`: `q` of 4 bits, `s` and `t` of 6 bits for every 32 elements.
  /// Layout: `d:2 dmin:2 st:12 q:128`.
  static func appendQ4_K(_ block: Span<UInt8>, to values: inout [Float]) {
    let d = scale(block, at: 0)
    let dmin = scale(block, at: 2)
    for i in 0..<256 {
      let (s, t) = sixBitScales(block, sub: i / 32)
      let q = nibble(block, at: 16 + (i / 64) * 32, i % 64, of: 64)
      values.append((d * Float(s)) * Float(q) - dmin * Float(t))
    }
  }

  /// `x = (d s) q - (dmin t)`: `q` of 5 bits, `s` and `t` of 6 bits for every 32 elements.
  /// Layout: `d:2 dmin:2 st:12 fifthBits:32 q:128`.
  static func appendQ5_K(_ block: Span<UInt8>, to values: inout [Float]) {
    let d = scale(block, at: 0)
    let dmin = scale(block, at: 2)
    for i in 0..<256 {
      let (s, t) = sixBitScales(block, sub: i / 32)
      let fifthBit = (block[16 + i % 32] >> UInt8(i / 32)) & 1
      let q = nibble(block, at: 48 + (i / 64) * 32, i % 64, of: 64) | fifthBit << 4
      values.append((d * Float(s)) * Float(q) - dmin * Float(t))
    }
  }

  /// `x = (d s) (q - 32)`: `q` of 6 bits, `s` a signed byte for every 16 elements.
  /// Layout: `lowNibbles:128 highPairs:64 s:16 d:2`.
  static func appendQ6_K(_ block: Span<UInt8>, to values: inout [Float]) {
    let d = scale(block, at: 208)
    for i in 0..<256 {
      let s = Int8(bitPattern: block[192 + i / 16])
      let low = nibble(block, at: (i / 128) * 64, i % 128, of: 128)
      let high = (block[128 + (i / 128) * 32 + i % 32] >> UInt8(i / 32 % 4 * 2)) & 3
      values.append((d * Float(s)) * Float(Int(low | high << 4) - 32))
    }
  }

  /// The 6-bit scale and minimum of sub-block `sub` (0…7) of Q4_K and Q5_K, packed in 12 bytes at
  /// offset 4: bytes 0…3 and 4…7 hold the first four scales and minima in their low 6 bits; the
  /// last four have their low 4 bits in the nibbles of bytes 8…11 and their high 2 bits on top of
  /// bytes 0…3 and 4…7.
  package static func sixBitScales(_ block: Span<UInt8>, sub: Int) -> (UInt8, UInt8) {
    let first = block[4 + sub % 4]
    let second = block[8 + sub % 4]
    guard sub >= 4 else { return (first & 0x3F, second & 0x3F) }
    let third = block[12 + sub % 4]
    return ((third & 0x0F) | (first >> 6) << 4, (third >> 4) | (second >> 6) << 4)
  }
}
