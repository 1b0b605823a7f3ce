import CKernels
import ExpertArithmetic
import Tensors
import TestSupport
import Testing

@testable import CPUCompute

/// A packed tile read number by number, as ckernels_packed.h draws it.
private struct PackedTile {
  let bytes: ArraySlice<UInt8>
  let type: ElementType
  let columns: Int

  /// Where a part begins after parts of d (and m) for all blocks, each of whole cache lines.
  private func afterScales(_ parts: Int) -> Int {
    let one = columns / 32 * (type == .mxfp4 ? 16 : 32)
    return parts * ((one + 63) / 64 * 64)
  }

  private func byte(_ offset: Int) -> Int32 { Int32(bytes[bytes.startIndex + offset]) }

  /// Byte of column `i` (of a group of 4 k) of a row, in vectors from `offset` on.
  private func code(_ offset: Int, group: Int, row: Int, _ i: Int) -> Int32 {
    byte(offset + 64 * group + 4 * row + i % 4)
  }

  /// A half float's bits.
  private func half(_ offset: Int) -> UInt16 {
    UInt16(byte(offset)) | UInt16(byte(offset + 1)) << 8
  }

  /// The codes of a row's block as stored, before a type's offset or table; its scales; its halves.
  func block(_ b: Int, row: Int) -> (codes: [Int32], scales: [Int32], halves: [UInt16]) {
    switch type {
    case .q2_K, .q3_K, .q4_K, .q5_K, .q6_K, .iq4_xs: large(b, row)
    default: small(b, row)
    }
  }

  private func large(_ b: Int, _ r: Int) -> (codes: [Int32], scales: [Int32], halves: [UInt16]) {
    let at = b * ck_tile_bytes(type.rawValue, 256)
    // Sub-blocks of `sub` numbers, two of them in a byte.
    func nibbles(_ offset: Int, sub: Int) -> [Int32] {
      (0..<256).map { i in
        let j = i / sub
        let group = j / 2 * (sub / 4) + i % sub / 4
        return code(at + offset, group: group, row: r, i) >> Int32(4 * (j % 2)) & 15
      }
    }
    // Sub-blocks of `sub` numbers, 8 / width of them in a byte.
    func bits(_ offset: Int, _ width: Int, sub: Int) -> [Int32] {
      (0..<256).map { i in
        let j = i / sub
        let group = j / (8 / width) * (sub / 4) + i % sub / 4
        return code(at + offset, group: group, row: r, i) >> Int32(width * (j % (8 / width)))
          & Int32(1 << width - 1)
      }
    }
    func scales(_ count: Int) -> [Int32] { (0..<count).map { byte(at + 64 + 16 * $0 + r) } }
    let halves = [half(at + 2 * r), half(at + 32 + 2 * r)]
    switch type {
    case .q2_K: return (bits(320, 2, sub: 16), scales(16), halves)
    case .q3_K:
      let low = bits(320, 2, sub: 16)
      return (zip(low, bits(1344, 1, sub: 16)).map { $0 + 4 * $1 }, scales(16), halves)
    case .q6_K:
      let low = nibbles(320, sub: 16)
      return (zip(low, bits(2368, 2, sub: 16)).map { $0 + 16 * $1 }, scales(16), halves)
    case .iq4_xs: return (nibbles(192, sub: 32), scales(8), halves)
    default:
      let minimums = (0..<8).map { byte(at + 192 + 32 * ($0 / 2) + 2 * r + $0 % 2) }
      guard type == .q5_K else { return (nibbles(320, sub: 32), scales(8) + minimums, halves) }
      let low = nibbles(832, sub: 32)
      let codes = zip(low, bits(320, 1, sub: 32)).map { $0 + 16 * $1 }
      return (codes, scales(8) + minimums, halves)
    }
  }

  private func small(_ b: Int, _ r: Int) -> (codes: [Int32], scales: [Int32], halves: [UInt16]) {
    let blocks = columns / 32
    var halves = [type == .mxfp4 ? UInt16(byte(16 * b + r)) : half(32 * b + 2 * r)]
    var offset = afterScales(1)
    if type == .q4_1 || type == .q5_1 {
      halves.append(half(offset + 32 * b + 2 * r))
      offset = afterScales(2)
    }
    if type == .q8_0 {
      let codes = (0..<32).map { code(offset + 512 * b, group: $0 / 4, row: r, $0) }
      return (codes, [], halves)
    }
    var codes = [Int32](repeating: 0, count: 32)
    if type == .q5_0 || type == .q5_1 {
      for i in 0..<32 {
        codes[i] = (code(offset + 64 * b, group: 0, row: r, i) >> Int32(i / 4) & 1) * 16
      }
      offset += 64 * blocks
    }
    for i in 0..<32 {
      let byte = code(offset + 256 * b, group: i / 4 % 4, row: r, i)
      codes[i] += i < 16 ? byte & 15 : byte >> 4
    }
    return (codes, [], halves)
  }
}

/// What of a native block the packed tile must hold.
private func expected(
  _ block: IntegerBlock, _ type: ElementType
) -> (codes: [Int32], scales: [Int32]) {
  let nonlinear: [Int32] = [
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113,
  ]
  let scales = block.subScales.map { $0 & 0xFF }
  switch (type, block.offset) {
  case (.q2_K, .minimums(_, let minimums)):
    return (block.weights, zip(scales, minimums).map { $0 | $1 << 4 })
  case (_, .minimums(_, let minimums)): return (block.weights, scales + minimums)
  case (.q3_K, _): return (block.weights.map { $0 + 4 }, scales)
  case (.q6_K, _): return (block.weights.map { $0 + 32 }, scales)
  case (.iq4_xs, _): return (block.weights.map { Int32(nonlinear.firstIndex(of: $0)!) }, scales)
  case (.iq4_nl, _): return (block.weights.map { Int32(nonlinear.firstIndex(of: $0)!) }, [])
  case (.q4_0, _): return (block.weights.map { $0 + 8 }, [])
  case (.q5_0, _): return (block.weights.map { $0 + 16 }, [])
  case (.q8_0, _): return (block.weights.map { $0 & 0xFF }, [])
  default: return (block.weights, [])
  }
}

/// All tiles of a matrix, packed in two calls.
func packed(
  _ set: InstructionSet, _ type: ElementType, _ native: [UInt8], rows: Int, columns: Int
) throws -> KernelMemory {
  let kernels = try #require(set.kernels)
  let tiles = (rows + 15) / 16
  let memory = KernelMemory(byteCount: tiles * ck_tile_bytes(type.rawValue, columns))
  native.withUnsafeBytes { native in
    var weights = ck_weights(
      native: native.baseAddress, packed: nil, row_bytes: native.count / rows, rows: rows,
      columns: columns, element_type: type.rawValue)
    #expect(kernels.pack(&weights, tiles / 2, tiles, memory.base) == 0)
    #expect(kernels.pack(&weights, 0, tiles / 2, memory.base) == 0)
  }
  return memory
}

@Suite struct PackingTests {
  @Test(arguments: readableTypes.filter { $0.elementsPerBlock > 1 && $0 != .mxfp4 })
  func `a packed tile holds the integers of its rows where the drawing says`(
    _ type: ElementType
  ) throws {
    var hard = HardRows(seed: 21)
    let (rows, columns) = (19, type.elementsPerBlock * 3)
    let native = hard.weights(type, rows: rows, columns: columns)
    let bytes = try packed(.portable, type, native, rows: rows, columns: columns).bytes
    let tileBytes = ck_tile_bytes(type.rawValue, columns)
    for row in 0..<rows {
      let begin = row / 16 * tileBytes
      let tile = PackedTile(bytes: bytes[begin..<begin + tileBytes], type: type, columns: columns)
      for b in 0..<3 {
        let at = (row * 3 + b) * type.bytesPerBlock
        let block = IntegerBlock(
          native.span.extracting(at..<at + type.bytesPerBlock), type: type)
        let found = tile.block(b, row: row % 16)
        let wanted = expected(block, type)
        #expect(found.codes == wanted.codes, "codes of row \(row), block \(b)")
        #expect(found.scales == wanted.scales, "scales of row \(row), block \(b)")
        #expect(isSame(HalfFloats.float(fromF16: found.halves[0]), block.scale))
        switch block.offset {
        case .minimums(let scale, _), .constant(let scale):
          #expect(isSame(HalfFloats.float(fromF16: found.halves[1]), scale))
        case .none: break
        }
      }
    }
  }

  @Test func `MXFP4 keeps its exponents and codes as they are`() throws {
    var hard = HardRows(seed: 22)
    let native = hard.weights(.mxfp4, rows: 5, columns: 96)
    let bytes = try packed(.portable, .mxfp4, native, rows: 5, columns: 96).bytes
    let tile = PackedTile(bytes: bytes[...], type: .mxfp4, columns: 96)
    for row in 0..<5 {
      for b in 0..<3 {
        let block = Array(native[(row * 3 + b) * 17..<(row * 3 + b + 1) * 17])
        let found = tile.block(b, row: row)
        #expect(found.halves == [UInt16(block[0])])
        let codes = block.dropFirst()
        #expect(found.codes == codes.map { Int32($0 & 15) } + codes.map { Int32($0 >> 4) })
      }
    }
  }

  @Test(arguments: [ElementType.f32, .f16, .bf16])
  func `plain numbers are packed column by column`(_ type: ElementType) throws {
    var hard = HardRows(seed: 23)
    let (rows, size) = (21, type.bytesPerBlock)
    for columns in [1, 3, 4, 7, 8, 9, 37] {
      let native = hard.weights(type, rows: rows, columns: columns)
      for set in availableSets {
        let bytes = try packed(set, type, native, rows: rows, columns: columns).bytes
        for row in 0..<32 {
          for column in 0..<columns {
            let at = row / 16 * columns * 16 * size + (column * 16 + row % 16) * size
            let from = (row * columns + column) * size
            let wanted =
              row < rows ? Array(native[from..<from + size]) : [UInt8](repeating: 0, count: size)
            #expect(Array(bytes[at..<at + size]) == wanted, "\(set), row \(row), column \(column)")
          }
        }
      }
    }
  }

  @Test(arguments: readableTypes)
  func `every instruction set packs the same bytes and leaves none unwritten`(
    _ type: ElementType
  ) throws {
    var hard = HardRows(seed: 24)
    for rows in Array(1...17) + [31, 32, 33, 50] {
      let columns = type.elementsPerBlock == 1 ? 13 : type.elementsPerBlock * (rows % 3 + 1)
      let native = hard.weights(type, rows: rows, columns: columns)
      let first = try packed(.portable, type, native, rows: rows, columns: columns).bytes
      for set in availableSets.dropFirst() {
        let bytes = try packed(set, type, native, rows: rows, columns: columns).bytes
        #expect(bytes == first, "\(set), \(rows) rows of \(columns)")
      }
    }
  }

  @Test(arguments: readableTypes)
  func `rows that the matrix does not have are zeros`(_ type: ElementType) throws {
    let columns = type.elementsPerBlock == 1 ? 5 : type.elementsPerBlock * 3
    let native = [UInt8](repeating: 0xFF, count: try #require(type.byteCount(ofRow: columns)))
    for set in availableSets {
      let one = try packed(set, type, native, rows: 1, columns: columns).bytes
      let all = try packed(
        set, type, (0..<16).flatMap { _ in native }, rows: 16, columns: columns
      ).bytes
      // All rows are equal, so each row has an equal share of the bits that are set.
      let ones = one.reduce(0) { $0 + $1.nonzeroBitCount }
      #expect(all.reduce(0) { $0 + $1.nonzeroBitCount } == 16 * ones)
    }
  }
}
