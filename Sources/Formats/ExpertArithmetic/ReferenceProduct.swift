import Tensors

/// Products of rows of weights with rows of activations, in the order that all lanes follow.
///
/// The oracle of every kernel on every device: it reads like Docs/ARITHMETIC.md and is never made
/// fast. Equality with it is equality of bits; a NaN equals any NaN.
public struct ReferenceProduct: Sendable {
  /// A row's weights: blocks of integers, or plain numbers.
  private enum Row: Sendable {
    case blocks([IntegerBlock])
    case numbers([Float])
  }

  public let type: ElementType
  public let columns: Int
  private let rows: [Row]

  /// Reads a matrix.
  ///
  /// - Parameters:
  ///   - bytes: native rows of `type`, one after another.
  ///   - columns: numbers in a row.
  /// - Throws: `QuantizationError` where the type is not readable, a row is no whole number of
  ///   blocks, or the bytes are no whole number of rows.
  public init(
    _ bytes: [UInt8], type: ElementType, columns: Int
  ) throws(QuantizationError) {
    guard type.isReadable else { throw .unsupportedType(type, operation: .dequantize) }
    guard let rowBytes = type.byteCount(ofRow: columns), rowBytes > 0 else {
      throw .brokenBlock(type, elementCount: columns)
    }
    let rowCount = bytes.count / rowBytes
    guard bytes.count == rowCount * rowBytes else {
      throw .wrongByteCount(
        type, elementCount: (rowCount + 1) * columns, expected: (rowCount + 1) * rowBytes,
        found: bytes.count)
    }
    var rows: [Row] = []
    for row in 0..<rowCount {
      let span = bytes.span.extracting(row * rowBytes..<(row + 1) * rowBytes)
      rows.append(try Self.row(span, type: type, columns: columns))
    }
    self.type = type
    self.columns = columns
    self.rows = rows
  }

  /// y = W x + bias for one row of activations.
  ///
  /// - Parameters:
  ///   - x: [columns]; quantised here where the type's activations are.
  ///   - bias: [rows] or nil.
  /// - Returns: [rows].
  public func callAsFunction(_ x: [Float], bias: [Float]? = nil) -> [Float] {
    precondition(x.count == columns)
    let quantized = IntegerBlock.activationWidth(of: type).map { QuantizedRow(x, width: $0) }
    return rows.enumerated().map { index, row in
      let y =
        switch row {
        case .blocks(let blocks):
          Self.product(blocks, quantized ?? QuantizedRow(x, width: columns))
        case .numbers(let numbers): Self.product(numbers, x)
        }
      return bias.map { y + $0[index] } ?? y
    }
  }

  /// The four runs of blocks (or of single columns) that have a sum of their own.
  static func segments(of count: Int) -> [Range<Int>] {
    (0..<4).map { $0 * count / 4..<($0 + 1) * count / 4 }
  }

  /// A row of blocks times a row of integers.
  private static func product(_ blocks: [IntegerBlock], _ x: QuantizedRow) -> Float {
    folded(
      segments(of: blocks.count).map { segment in
        segment.reduce(Float(0)) { sum, b in blocks[b].adding(to: sum, x, block: b) }
      })
  }

  /// A row of numbers times a row of numbers.
  private static func product(_ weights: [Float], _ x: [Float]) -> Float {
    folded(
      segments(of: weights.count).map { segment in
        segment.reduce(Float(0)) { sum, c in sum.addingProduct(weights[c], x[c]) }
      })
  }

  private static func folded(_ p: [Float]) -> Float { (p[0] + p[1]) + (p[2] + p[3]) }

  private static func row(
    _ bytes: Span<UInt8>, type: ElementType, columns: Int
  ) throws(QuantizationError) -> Row {
    guard type.elementsPerBlock > 1 else {
      return .numbers(
        try ReferenceQuantization.dequantize(bytes, type: type, count: columns))
    }
    var blocks: [IntegerBlock] = []
    for b in 0..<columns / type.elementsPerBlock {
      let begin = b * type.bytesPerBlock
      let block = bytes.extracting(begin..<begin + type.bytesPerBlock)
      blocks.append(IntegerBlock(block, type: type))
    }
    return .blocks(blocks)
  }
}

extension IntegerBlock {
  /// `sum` plus this block's product with block `b` of a row of activations.
  func adding(to sum: Float, _ x: QuantizedRow, block b: Int) -> Float {
    let dx = x.scales[b]
    let q = x.numbers[b * weights.count..<(b + 1) * weights.count].map { Int32($0) }
    let length = weights.count / subScales.count
    var products: Int32 = 0
    var numberSums: [Int32] = []
    for j in subScales.indices {
      var product: Int32 = 0
      var numberSum: Int32 = 0
      for i in j * length..<(j + 1) * length {
        product += weights[i] * q[i]
        numberSum += q[i]
      }
      products += subScales[j] * product
      numberSums.append(numberSum)
    }
    let scaled = sum.addingProduct(scale * dx, Float(products))
    switch offset {
    case .none: return scaled
    case .minimums(let scale, let minimums):
      let total = zip(minimums, numberSums).reduce(Int32(0)) { $0 + $1.0 * $1.1 }
      return scaled.addingProduct(-(scale * dx), Float(total))
    case .constant(let offset):
      return scaled.addingProduct(offset * dx, Float(numberSums[0]))
    }
  }
}
