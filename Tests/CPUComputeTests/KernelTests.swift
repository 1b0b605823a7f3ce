import CKernels
import Tensors
import TestSupport
import Testing

@testable import CPUCompute

/// Blocks of random bytes whose scales are ordinary numbers: element types differ in where they keep
/// them, so every byte that could be the high half of a scale is kept below infinity.
func randomRows(
  _ type: ElementType, rows: Int, columns: Int, using generator: inout SeededGenerator
) -> [UInt8] {
  let values = (0..<(rows * columns)).map { _ in generator.nextFloat() }
  switch type {
  case .f32: return values.flatMap { withUnsafeBytes(of: $0.bitPattern.littleEndian, Array.init) }
  case .f16:
    return values.flatMap { withUnsafeBytes(of: Float16($0).bitPattern.littleEndian, Array.init) }
  default:
    let count = type.byteCount(ofRow: columns)! * rows
    // 0x3b as the high byte of a half float or exponent keeps every scale below 1.
    return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) & 0x3b }
  }
}

let readableTypes = ElementType.allCases.filter(\.isReadable)
let availableSets = InstructionSet.allCases.filter(\.isAvailable)

@Suite struct KernelTests {
  @Test(arguments: readableTypes)
  func `every instruction set dequantises as the reference does`(_ type: ElementType) throws {
    var generator = SeededGenerator(seed: 11)
    let columns = type.elementsPerBlock == 1 ? 77 : type.elementsPerBlock * 3
    let count = try #require(type.byteCount(ofRow: columns))
    for round in 0..<8 {
      var bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
      if round == 0 { bytes = bytes.map { _ in 0 } }
      if round == 1 { bytes = bytes.map { _ in 0xff } }
      let expected = try ReferenceQuantization.dequantize(
        bytes.span, type: type, count: columns)
      for set in availableSets {
        let kernels = try #require(set.kernels)
        var found = [Float](repeating: 0, count: columns)
        #expect(kernels.dequantize(type.rawValue, bytes, &found, columns) == 0)
        for index in 0..<columns {
          let same =
            found[index].bitPattern == expected[index].bitPattern
            || found[index].isNaN && expected[index].isNaN
          #expect(same, "\(set) \(type) [\(index)]: \(found[index]), not \(expected[index])")
        }
      }
    }
  }

  @Test(arguments: [ElementType.f32, .f16, .q4_0, .q8_0])
  func `a transposed product agrees with the formula`(_ type: ElementType) throws {
    var generator = SeededGenerator(seed: 21)
    let (rows, columns, tokens) = (9, 64, 3)
    let weights = randomRows(type, rows: rows, columns: columns, using: &generator)
    let numbers = try ReferenceQuantization.dequantize(
      weights.span, type: type, count: rows * columns)
    let x = (0..<(tokens * rows)).map { _ in generator.nextFloat() }
    var results: [[Float]] = []
    let rowBytes = try #require(type.byteCount(ofRow: columns))
    for set in availableSets {
      let kernels = try #require(set.kernels)
      var y = [Float](repeating: .nan, count: tokens * columns)
      var scratch = [Float](repeating: .nan, count: columns)
      let code = weights.withUnsafeBytes { weights in
        x.withUnsafeBufferPointer { x in
          y.withUnsafeMutableBufferPointer { y in
            var job = ck_transposed_job(
              weights: weights.baseAddress, row_bytes: rowBytes, rows: rows, columns: columns,
              x: x.baseAddress, x_stride: rows, tokens: tokens, y: y.baseAddress,
              y_stride: columns, element_type: type.rawValue)
            return kernels.transposed_product(&job, &scratch)
          }
        }
      }
      #expect(code == 0)
      results.append(y)
    }
    for result in results { #expect(result == results[0]) }
    for token in 0..<tokens {
      for column in 0..<columns {
        let exact = (0..<rows).reduce(0.0) {
          $0 + Double(x[token * rows + $1]) * Double(numbers[$1 * columns + column])
        }
        #expect(abs(Double(results[0][token * columns + column]) - exact) < 1e-5)
      }
    }
  }

  @Test func `a type without a kernel is told, not guessed`() throws {
    let kernels = try #require(InstructionSet.portable.kernels)
    var y = [Float](repeating: 0, count: 256)
    #expect(kernels.dequantize(ElementType.iq2_xxs.rawValue, [0], &y, 256) == -1)
    #expect(kernels.store_row(ElementType.q4_0.rawValue, y, &y, 32) == -1)
  }
}
