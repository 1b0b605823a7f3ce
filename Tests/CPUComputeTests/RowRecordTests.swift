import CKernels
import ExpertArithmetic
import TestSupport
import Testing

@testable import CPUCompute

/// One row's record as a kernel writes it.
func record(
  _ set: InstructionSet, _ x: [Float], width: Int
) throws -> KernelMemory {
  let kernels = try #require(set.kernels)
  let memory = KernelMemory(
    byteCount: ck_record_offset(x.count, width, Int32(CK_RECORD_END.rawValue)))
  let blocks = width == 0 ? x.count : x.count / width
  kernels.quantize(x, x.count, width, blocks / 2, blocks, memory.base)
  kernels.quantize(x, x.count, width, 0, blocks / 2, memory.base)
  return memory
}

/// The bytes that a record must have.
func expectedRecord(_ row: QuantizedRow) -> [UInt8] {
  func sums(of count: Int) -> [Int32] {
    stride(from: 0, to: row.numbers.count, by: count).map { begin in
      row.numbers[begin..<begin + count].reduce(0) { $0 + Int32($1) }
    }
  }
  func lines(_ bytes: [UInt8]) -> [UInt8] {
    bytes + [UInt8](repeating: 0, count: (64 - bytes.count % 64) % 64)
  }
  func words(_ values: [Int32]) -> [UInt8] {
    lines(values.flatMap { withUnsafeBytes(of: $0.littleEndian, Array.init) })
  }
  func halves(_ values: [Int32]) -> [UInt8] {
    lines(values.flatMap { withUnsafeBytes(of: Int16($0).littleEndian, Array.init) })
  }
  let numbers = lines(row.numbers.map { UInt8(bitPattern: $0) })
  let scales = words(row.scales.map { Int32(bitPattern: $0.bitPattern) })
  if row.width == 256 {
    return numbers + scales + halves(sums(of: 16)) + halves(sums(of: 32))
      + words(sums(of: 16).map { -32 * $0 })
  }
  let sums = sums(of: 32)
  return numbers + scales + words(sums.map { -8 * $0 }) + words(sums.map { -16 * $0 })
    + words(sums.map { -128 * $0 })
}

@Suite struct RowRecordTests {
  @Test(arguments: [32, 256])
  func `a row's record has the bits of the reference, in every part`(_ width: Int) throws {
    var hard = HardRows(seed: 31)
    for blocks in 1...9 {
      for token in 0..<4 {
        let x = hard.activations(columns: blocks * width, token: token, finite: false)
        let expected = expectedRecord(QuantizedRow(x, width: width))
        for set in availableSets {
          let found = try record(set, x, width: width).bytes
          #expect(found == expected, "\(set), \(blocks) blocks, token \(token)")
        }
      }
    }
  }

  @Test func `halves are rounded to even, and no number becomes -128`() throws {
    var generator = SeededGenerator(seed: 32)
    var x = (0..<256).map { Float($0 - 128) + 0.5 }
    x[0] = 127
    for _ in 0..<20 {
      let expected = expectedRecord(QuantizedRow(x, width: 256))
      for set in availableSets {
        let found = try record(set, x, width: 256).bytes
        #expect(found == expected, "\(set)")
        #expect(!found.prefix(256).contains(0x80))
      }
      x = (0..<256).map { _ in Float.random(in: -1e-30...1e-30, using: &generator) }
    }
  }

  @Test func `a record of F32 is the numbers and zeros`() throws {
    var hard = HardRows(seed: 33)
    for columns in [1, 15, 16, 17, 45] {
      let x = hard.activations(columns: columns, token: 3, finite: false)
      for set in availableSets {
        let memory = try record(set, x, width: 0)
        #expect(zip(memory.floats(columns), x).allSatisfy { $0.bitPattern == $1.bitPattern })
        #expect(memory.bytes.dropFirst(4 * columns).allSatisfy { $0 == 0 })
      }
    }
  }
}
