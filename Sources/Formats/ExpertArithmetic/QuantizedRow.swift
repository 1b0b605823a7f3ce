/// A row of activations as products with quantised weights read it: integers with a scale per block.
///
/// Defined in Docs/ARITHMETIC.md, "Activations". Every lane that quantises a row gives these bits.
public struct QuantizedRow: Sendable, Equatable {
  /// Numbers that share a scale: 256 for the K-quants and IQ4_XS, 32 for the types with blocks of 32.
  public let width: Int
  /// −127…127. [columns]
  public let numbers: [Int8]
  /// [columns / width]; NaN for a block with a number that is not finite.
  public let scales: [Float]

  /// Quantises a row.
  ///
  /// Per block, with `a = max |x|`: `q = round(x · (127 / a))`, halves to even, and the scale
  /// `a / 127`. A block with a NaN or an infinity has the scale NaN and zeros; one with `a < 2^-100`
  /// the scale 0 and zeros, because `127 / a` would come near the end of F32.
  /// - Parameters:
  ///   - x: [columns], a multiple of `width` numbers.
  ///   - width: 256 or 32.
  public init(_ x: [Float], width: Int) {
    precondition(width > 0 && x.count % width == 0, "a row is whole blocks of \(width) numbers")
    var numbers: [Int8] = []
    var scales: [Float] = []
    numbers.reserveCapacity(x.count)
    for begin in stride(from: 0, to: x.count, by: width) {
      let block = x[begin..<begin + width]
      let finite = block.allSatisfy { $0.isFinite }
      let largest = block.reduce(0) { max($0, $1.magnitude) }
      if finite && largest >= 0x1p-100 {
        let inverse = 127 / largest
        numbers += block.map { Int8(($0 * inverse).rounded(.toNearestOrEven)) }
        scales.append(largest / 127)
      } else {
        numbers += [Int8](repeating: 0, count: width)
        scales.append(finite ? 0 : .nan)
      }
    }
    self.width = width
    self.numbers = numbers
    self.scales = scales
  }
}
