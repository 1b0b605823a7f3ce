import CKernels
import HostMemory
import Tensors
import TestSupport
import Testing

@testable import CPUCompute

/// Packed tiles for whoever else reads them.
@Suite struct PackedTilesTests {
  private static let (type, rows, columns) = (ElementType.q5_1, 75, 96)

  /// A matrix over native bytes, with a store where one is given, and its packed bytes.
  private func withMatrix(
    store: PackedStore?, _ body: (WeightMatrix, CPUBackend, [UInt8]) throws -> Void
  ) throws {
    var hard = HardRows(seed: 61)
    let native = hard.weights(Self.type, rows: Self.rows, columns: Self.columns)
    let expected = try packed(
      .best, Self.type, native, rows: Self.rows, columns: Self.columns
    ).bytes
    let memory = KernelMemory(byteCount: native.count + 64)
    for (index, byte) in native.enumerated() {
      memory.base.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
    }
    let matrix = try #require(
      WeightMatrix(
        base: memory.base, type: Self.type, rowCount: Self.rows, columnCount: Self.columns,
        store: store))
    try body(matrix, try CPUBackend(threadCount: 2), expected)
  }

  private func store(capacityBytes: Int) throws -> PackedStore {
    try PackedStore(capacityBytes: capacityBytes, givesBackNativePages: false, packsAtUse: 2)
  }

  @Test func `a packed copy is made once, at the first asking, and is what products read`() throws {
    let store = try store(capacityBytes: 1 << 20)
    try withMatrix(store: store) { matrix, compute, expected in
      #expect(matrix.packedTiles == nil)
      let bytes = try #require(matrix.packedBytes(by: compute))
      #expect(bytes.elementsEqual(expected) && bytes.count == matrix.packedByteCount)
      #expect(matrix.packedBytes(by: compute)?.baseAddress == bytes.baseAddress)
      #expect(matrix.packedTiles?.baseAddress == bytes.baseAddress)
      #expect(matrix.kernelView.packed == bytes.baseAddress)
      let range = store.memoryRange
      let begin = try #require(range.baseAddress)
      #expect(bytes.baseAddress.map { $0 >= begin && $0 < begin + range.count } == true)
    }
  }

  @Test func `there is no packed copy without a store, or in a full one`() throws {
    try withMatrix(store: nil) { matrix, compute, _ in
      #expect(matrix.packedBytes(by: compute) == nil)
    }
    try withMatrix(store: try store(capacityBytes: 64)) { matrix, compute, _ in
      #expect(matrix.packedBytes(by: compute) == nil)
    }
  }

  @Test func `tiles are copied from the packed copy, or packed where there is none`() throws {
    for packsFirst in [false, true] {
      try withMatrix(store: try store(capacityBytes: 1 << 20)) { matrix, compute, expected in
        if packsFirst { _ = matrix.packedBytes(by: compute) }
        let tile = matrix.tileByteCount
        for tiles in [0..<matrix.tileCount, 1..<3, 4..<5, 2..<2] {
          let target = KernelMemory(byteCount: tiles.count * tile)
          compute.copyTiles(tiles, of: matrix, into: target.base)
          let wanted = expected[tiles.lowerBound * tile..<tiles.upperBound * tile]
          #expect(target.bytes.elementsEqual(wanted), "\(tiles)")
        }
        #expect((matrix.packedTiles != nil) == packsFirst)
      }
    }
  }
}

/// Products of records with a choice of rows.
@Suite struct RecordProductTests {
  @Test func `a product of chosen records is that of the chosen rows`() throws {
    let compute = try CPUBackend(threadCount: 1)
    let (columns, rows) = (64, 20)
    var hard = HardRows(seed: 62)
    let native = hard.weights(.q8_0, rows: rows, columns: columns)
    let x = (0..<3).map { hard.activations(columns: columns, token: $0, finite: true) }
    let bytes = KernelMemory(byteCount: native.count + 64)
    for (index, byte) in native.enumerated() {
      bytes.base.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
    }
    let weights = try #require(
      WeightMatrix(base: bytes.base, type: .q8_0, rowCount: rows, columnCount: columns))
    let input = try ActivationBuffer(rowCount: 3, columnCount: columns)
    for (row, values) in x.enumerated() {
      for (column, value) in values.enumerated() { input.activation.row(row)[column] = value }
    }
    let memory = KernelMemory(
      byteCount: RowRecords.byteCount(rowCount: 3, columnCount: columns, width: 32))
    let records = RowRecords(base: memory.base, rowCount: 3, columnCount: columns, width: 32)
    compute.quantize([(input.activation, records)])
    let chosen: [Int32] = [2, 0, 0, 1, 2]
    let expected = try ActivationBuffer(rowCount: 5, columnCount: rows)
    let found = try ActivationBuffer(rowCount: 5, columnCount: rows)
    try compute.multiply([
      MatrixProduct(input.activation, rows: chosen[...], weights, into: expected.activation)
    ])
    try compute.multiply([
      MatrixProduct(records, rows: chosen[...], weights, into: found.activation)
    ])
    for row in 0..<5 {
      let pairs = zip(found.activation.values(ofRow: row), expected.activation.values(ofRow: row))
      #expect(pairs.allSatisfy(isSame))
    }
  }
}
