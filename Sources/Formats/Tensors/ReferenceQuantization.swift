/// The meaning of every element type, written as its formula: the oracle of every kernel.
///
/// Slow on purpose and never deleted. The numbers are those of the PyPI package `gguf` 0.19.0
/// (`gguf.quants`), bit for bit: all arithmetic is in F32, in the same order, without fused
/// operations. A result that is NaN is NaN in both; which NaN is not defined.
/// A type's blocks are stored one after another; "element `i`" below counts within one block.
public enum ReferenceQuantization {
  /// The values of `count` elements of `type` stored in `bytes`.
  ///
  /// - Parameters:
  ///   - bytes: whole blocks, exactly as many as `count` elements need; little-endian.
  ///   - count: a multiple of the type's block length; 0 is allowed.
  /// - Throws: `QuantizationError` where the type is not readable, or the bytes do not fit `count`.
  public static func dequantize(
    _ bytes: Span<UInt8>, type: ElementType, count: Int
  ) throws(QuantizationError) -> [Float] {
    guard type.isReadable else { throw .unsupportedType(type, operation: .dequantize) }
    guard let expected = type.byteCount(ofRow: count) else {
      throw .brokenBlock(type, elementCount: count)
    }
    guard bytes.count == expected else {
      throw .wrongByteCount(type, elementCount: count, expected: expected, found: bytes.count)
    }
    var values: [Float] = []
    values.reserveCapacity(count)
    switch type {
    case .f32:
      for i in 0..<count { values.append(Float(bitPattern: uint32(bytes, at: 4 * i))) }
      return values
    case .f16:
      for i in 0..<count { values.append(scale(bytes, at: 2 * i)) }
      return values
    case .bf16:
      for i in 0..<count { values.append(HalfFloats.float(fromBF16: uint16(bytes, at: 2 * i))) }
      return values
    default: break
    }
    var start = 0
    while start < expected {
      let block = bytes.extracting(start..<start + type.bytesPerBlock)
      appendBlock(block, type: type, to: &values)
      start += type.bytesPerBlock
    }
    return values
  }

  /// The values of `count` elements of `type` stored in an array of bytes.
  /// - Throws: `QuantizationError`, as for a span.
  public static func dequantize(
    _ bytes: [UInt8], type: ElementType, count: Int
  ) throws(QuantizationError) -> [Float] {
    try dequantize(bytes.span, type: type, count: count)
  }

  private static func appendBlock(
    _ block: Span<UInt8>, type: ElementType, to values: inout [Float]
  ) {
    switch type {
    case .q4_0: appendQ4_0(block, to: &values)
    case .q4_1: appendQ4_1(block, to: &values)
    case .q5_0: appendQ5_0(block, to: &values)
    case .q5_1: appendQ5_1(block, to: &values)
    case .q8_0: appendQ8_0(block, to: &values)
    case .q2_K: appendQ2_K(block, to: &values)
    case .q3_K: appendQ3_K(block, to: &values)
    case .q4_K: appendQ4_K(block, to: &values)
    case .q5_K: appendQ5_K(block, to: &values)
    case .q6_K: appendQ6_K(block, to: &values)
    case .iq4_nl: appendIQ4_NL(block, to: &values)
    case .iq4_xs: appendIQ4_XS(block, to: &values)
    case .mxfp4: appendMXFP4(block, to: &values)
    default: preconditionFailure("\(type.name) is called readable but has no formula")
    }
  }

  /// The little-endian number at a byte offset within a block.
  package static func uint16(_ block: Span<UInt8>, at offset: Int) -> UInt16 {
    UInt16(block[offset]) | UInt16(block[offset + 1]) << 8
  }

  /// The little-endian number at a byte offset within a block.
  package static func uint32(_ block: Span<UInt8>, at offset: Int) -> UInt32 {
    UInt32(uint16(block, at: offset)) | UInt32(uint16(block, at: offset + 2)) << 16
  }

  /// The F16 number at a byte offset, such as a block's scale.
  package static func scale(_ block: Span<UInt8>, at offset: Int) -> Float {
    HalfFloats.float(fromF16: uint16(block, at: offset))
  }

  /// Nibble `i` of a half-split run of bytes: the low halves of all bytes first, then the high
  /// halves. `length` is the number of nibbles, twice the number of bytes.
  package static func nibble(_ block: Span<UInt8>, at offset: Int, _ i: Int, of length: Int)
    -> UInt8
  {
    let half = length / 2
    return i < half ? block[offset + i] & 0x0F : block[offset + i - half] >> 4
  }
}
