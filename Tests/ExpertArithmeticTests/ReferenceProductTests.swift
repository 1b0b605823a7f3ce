import Tensors
import TestSupport
import Testing

@testable import ExpertArithmetic

private let blockTypes = ElementType.allCases.filter { $0.isReadable && $0.elementsPerBlock > 1 }

@Suite struct ReferenceProductTests {
  /// Holds the integers against the type's formula in F32: they differ by roundings only.
  @Test(arguments: blockTypes)
  func `the integers of a block mean what the type's formula says`(_ type: ElementType) throws {
    var generator = SeededGenerator(seed: UInt64(type.rawValue))
    for _ in 0..<8 {
      // 0x3b as a high byte keeps scales below 1.
      let bytes = (0..<type.bytesPerBlock).map { _ in
        UInt8.random(in: 0...255, using: &generator) & 0x3b
      }
      let expected = try ReferenceQuantization.dequantize(
        bytes, type: type, count: type.elementsPerBlock)
      let block = IntegerBlock(bytes.span, type: type)
      let length = block.weights.count / block.subScales.count
      for i in 0..<type.elementsPerBlock {
        var value = Double(block.scale) * Double(block.subScales[i / length] * block.weights[i])
        var size = value.magnitude
        switch block.offset {
        case .none: break
        case .minimums(let scale, let minimums):
          value -= Double(scale) * Double(minimums[i / length])
          size += (Double(scale) * Double(minimums[i / length])).magnitude
        case .constant(let offset):
          value += Double(offset)
          size += Double(offset.magnitude)
        }
        #expect((value - Double(expected[i])).magnitude <= size * 0x1p-22, "weight \(i)")
      }
    }
  }

  @Test func `a row of one block is summed in the last segment`() {
    #expect(ReferenceProduct.segments(of: 1) == [0..<0, 0..<0, 0..<0, 0..<1])
    #expect(ReferenceProduct.segments(of: 6) == [0..<1, 1..<3, 3..<4, 4..<6])
    #expect(ReferenceProduct.segments(of: 8) == [0..<2, 2..<4, 4..<6, 6..<8])
  }

  @Test func `halves round to even and the largest number becomes 127`() {
    var x: [Float] = [127, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, -127]
    x += [Float](repeating: 0, count: 24)
    let row = QuantizedRow(x, width: 32)
    #expect(row.numbers.prefix(8) == [127, 0, 2, 2, 0, -2, -2, -127])
    #expect(row.scales == [1])
  }

  @Test func `a block with a number that is not finite turns into NaN and spoils no other`() {
    for bad in [Float.nan, .infinity, -.infinity] {
      var x = [Float](repeating: 1, count: 64)
      x[40] = bad
      let row = QuantizedRow(x, width: 32)
      #expect(row.scales[0] == Float(1) / 127)
      #expect(row.scales[1].isNaN)
      #expect(row.numbers == [Int8](repeating: 127, count: 32) + [Int8](repeating: 0, count: 32))
    }
  }

  @Test func `numbers too small to invert become zeros`() {
    let tiny = QuantizedRow([Float](repeating: 0x1p-101, count: 32), width: 32)
    #expect(tiny.scales == [0] && tiny.numbers.allSatisfy { $0 == 0 })
    let least = QuantizedRow([Float](repeating: -0x1p-100, count: 32), width: 32)
    #expect(least.scales == [0x1p-100 / 127] && least.numbers.allSatisfy { $0 == -127 })
  }

  @Test func `bytes that are no whole rows are refused`() {
    #expect(throws: QuantizationError.self) {
      _ = try ReferenceProduct([UInt8](repeating: 0, count: 19), type: .q4_0, columns: 32)
    }
    #expect(throws: QuantizationError.self) {
      _ = try ReferenceProduct([], type: .q4_0, columns: 33)
    }
    #expect(throws: QuantizationError.self) {
      _ = try ReferenceProduct([], type: .iq1_s, columns: 256)
    }
  }

  @Test func `experts are summed in the order of their ranks`() {
    let rows: [[Float]] = [[1e8], [1], [-1e8]]
    #expect(ReferenceActivation.combined(rows, weights: [1, 1, 1]) == [0])
    #expect(ReferenceActivation.combined([rows[0], rows[2], rows[1]], weights: [1, 1, 1]) == [1])
    #expect(ReferenceActivation.combined([], weights: []).isEmpty)
  }
}
