import Tensors

/// Weights and activations that a kernel could get wrong, the same in every run.
public struct HardRows {
  private var generator: SeededGenerator

  public init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

  /// Native rows: random bytes; rows of one byte (the largest codes and scales, the smallest, the most
  /// negative); rows whose F16 scales are zeros, subnormal, the largest, infinite or NaN.
  /// - Parameter isTame: whether all numbers are of an ordinary size: where a result is read by a further
  ///   product, one NaN would hide everything else.
  public mutating func weights(
    _ type: ElementType, rows: Int, columns: Int, isTame: Bool = false
  ) -> [UInt8] {
    if isTame, type == .f32 || type == .bf16 {
      return (0..<rows * columns).flatMap { _ in
        let bits = generator.nextFloat().bitPattern
        let bytes = (0..<4).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) }
        return type == .f32 ? bytes : Array(bytes[2...])
      }
    }
    let blocks = columns / type.elementsPerBlock
    var bytes: [UInt8] = []
    for row in 0..<rows {
      for block in 0..<blocks {
        var one = (0..<type.bytesPerBlock).map { _ in UInt8.random(in: 0...255, using: &generator) }
        if !isTame, row % 3 == 1 { one = one.map { _ in [0xFF, 0x80, 0x00, 0x7F][row / 3 % 4] } }
        setScales(type, of: &one, odd: !isTame && row % 5 == 4 ? row / 5 + block : nil)
        bytes += one
      }
    }
    return bytes
  }

  /// A row of activations; every fourth one has blocks of zeros, of subnormal numbers, of equal numbers,
  /// of numbers as large as there are, and, where `finite` is false, a NaN and an infinity.
  public mutating func activations(columns: Int, token: Int, finite: Bool) -> [Float] {
    var x = (0..<columns).map { _ in generator.nextFloat() * 8 }
    switch token % 4 {
    case 1:
      let odd: [Float] = [1, 0, 0x1p-133, -3, 0x1p-101, 3e38, -0x1p-100]
      for i in x.indices { x[i] = odd[i / 16 % odd.count] }
    case 2:
      for i in x.indices { x[i] = i % 64 < 32 ? -5 : 5 }
    case 3 where !finite:
      x[columns / 2] = .nan
      x[columns - 1] = -.infinity
    default: break
    }
    return x
  }

  /// F16 scales, or MXFP4's exponent, of an ordinary size, or number `odd` of the odd ones.
  private mutating func setScales(_ type: ElementType, of block: inout [UInt8], odd: Int?) {
    if type == .mxfp4 {
      block[0] =
        odd.map { [0, 1, 254, 255][$0 % 4] } ?? UInt8.random(in: 118...130, using: &generator)
    }
    let oddScales: [UInt16] = [0x0000, 0x8000, 0x0001, 0x83FF, 0x7BFF, 0x7C00, 0xFC00, 0x7E00]
    for (index, offset) in type.scaleOffsets.enumerated() {
      let usual = Float16(generator.nextFloat() / 32).bitPattern
      let bits = odd.map { oddScales[($0 + 3 * index) % oddScales.count] } ?? usual
      block[offset] = UInt8(truncatingIfNeeded: bits)
      block[offset + 1] = UInt8(bits >> 8)
    }
  }
}

extension ElementType {
  /// Where a block keeps its F16 scales; for F16 itself, the number.
  fileprivate var scaleOffsets: [Int] {
    switch self {
    case .q4_0, .q5_0, .q8_0, .iq4_nl, .iq4_xs, .f16: [0]
    case .q4_1, .q5_1, .q4_K, .q5_K: [0, 2]
    case .q2_K: [80, 82]
    case .q3_K: [108]
    case .q6_K: [208]
    default: []
    }
  }
}
