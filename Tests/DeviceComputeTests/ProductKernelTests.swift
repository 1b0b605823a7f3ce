import CPUCompute
import DeviceCompute
import Devices
import Tensors
import Testing

/// Products of packed weights on the device have the processor's bits.
@Suite struct ProductKernelTests {
  @Test(arguments: productTypes)
  func `a product has the processor's bits for any shape`(_ type: ElementType) throws {
    // Rows, blocks of columns, tokens: tails of tiles, empty segments, tails of a thread's and a block's tokens.
    let shapes = [
      (1, 1, 1), (17, 2, 2), (48, 3, 3), (16, 4, 4), (31, 5, 5), (33, 9, 1), (18, 1, 33),
    ]
    for (index, (rows, blocks, tokens)) in shapes.enumerated() {
      let world = try DeviceWorld(seed: index % 2 == 0 ? nil : UInt64(index))
      let block = type.elementsPerBlock
      let columns = block == 1 ? blocks * 5 + 1 : blocks * block
      try check(
        world, type, rows: rows, columns: columns, tokens: tokens, hasBias: index % 3 != 0)
    }
  }

  private func check(
    _ world: DeviceWorld, _ type: ElementType, rows: Int, columns: Int, tokens: Int, hasBias: Bool
  ) throws {
    let weights = try HostWeights(type, rows: rows, columns: columns, seed: UInt64(rows))
    let values = hardActivations(tokens, columns: columns, seed: UInt64(tokens))
    let bias = hasBias ? randomNumbers(rows, seed: 3, scale: 4) : nil
    let expected = HostRows(rowCount: tokens, columnCount: rows)
    let x = HostRows(values)
    try (bias ?? []).withUnsafeBufferPointer { numbers in
      try world.compute.multiply([
        MatrixProduct(
          x.activation, weights.matrix, bias: bias == nil ? nil : numbers.baseAddress,
          into: expected.activation)
      ])
    }
    // Results lie apart, so that a wrong stride shows.
    let y = DeviceRows(
      address: try world.memory(byteCount: 4 * tokens * (rows + 3)), rowCount: tokens,
      columnCount: rows, stride: rows + 3)
    let records = try world.records(
      try world.rows(values), width: weights.matrix.activationWidth)
    try world.operations.product(
      records, try world.matrix(weights), bias: try bias.map { try world.upload($0) } ?? 0,
      into: y, on: world.stream)
    let found = try world.download(y.address, count: tokens * (rows + 3), as: Float.self)
    let kept = (0..<tokens).flatMap { found[($0 * (rows + 3))...].prefix(rows) }
    #expect(bits(kept) == bits(expected.values), "\(rows) x \(columns), \(tokens) tokens")
  }

  @Test func `each head has weights of its own`() throws {
    let world = try DeviceWorld(seed: 3)
    let (heads, rows, columns, tokens) = (3, 20, 64, 5)
    let values = hardActivations(tokens, columns: heads * columns, seed: 4)
    let weights = try (0..<heads).map {
      try HostWeights(.q5_0, rows: rows, columns: columns, seed: 10 + UInt64($0))
    }
    let expected = HostRows(rowCount: tokens, columnCount: heads * rows)
    let x = HostRows(values)
    try world.compute.multiply(
      (0..<heads).map { head in
        MatrixProduct(
          x.activation.columns(head * columns..<(head + 1) * columns), weights[head].matrix,
          into: expected.activation.columns(head * rows..<(head + 1) * rows))
      })
    var records = DeviceRecords(
      address: 0, rowCount: heads * tokens, columnCount: columns, width: 32)
    records.address = try world.memory(byteCount: records.byteCount)
    let source = try world.rows(values)
    try world.operations.quantize(
      DeviceHeads(
        first: source.columns(0..<columns), headCount: heads, headStride: columns),
      into: records, on: world.stream)
    let tiles = weights.flatMap { $0.tiles(by: world.compute) }
    let first = DeviceMatrix(address: try world.upload(tiles), shapeOf: weights[0].matrix)
    let y = DeviceRows(
      address: try world.memory(byteCount: 4 * tokens * heads * rows), rowCount: tokens,
      columnCount: heads * rows)
    try world.operations.product(
      records, first, weightsHeadByteCount: first.byteCount,
      into: DeviceHeads(first: y.columns(0..<rows), headCount: heads, headStride: rows),
      on: world.stream)
    let found = try world.download(y.address, count: tokens * heads * rows, as: Float.self)
    #expect(bits(found) == bits(expected.values))
  }

  @Test(arguments: [1, 3, 9])
  func `a transposed product has the processor's bits`(_ tokens: Int) throws {
    let world = try DeviceWorld(seed: 8)
    let (heads, rows, columns) = (2, 7, 70)
    let values = hardActivations(tokens, columns: heads * rows, seed: 6)
    let weights = try (0..<heads).map {
      try HostWeights(
        .f32, rows: rows, columns: columns, seed: 20 + UInt64($0), isTame: true)
    }
    let expected = HostRows(rowCount: tokens, columnCount: heads * columns)
    let x = HostRows(values)
    try world.compute.multiplyTransposed(
      (0..<heads).map { head in
        TransposedProduct(
          x.activation.columns(head * rows..<(head + 1) * rows), weights[head].matrix,
          into: expected.activation.columns(head * columns..<(head + 1) * columns))
      })
    var plain: [Float] = []
    for weights in weights {
      let base = weights.matrix.base.assumingMemoryBound(to: Float.self)
      plain += UnsafeBufferPointer(start: base, count: rows * columns)
    }
    let source = try world.rows(values)
    let y = DeviceRows(
      address: try world.memory(byteCount: 4 * tokens * heads * columns), rowCount: tokens,
      columnCount: heads * columns)
    try world.operations.productTransposed(
      DeviceHeads(first: source.columns(0..<rows), headCount: heads, headStride: rows),
      weights: try world.upload(plain),
      into: DeviceHeads(first: y.columns(0..<columns), headCount: heads, headStride: columns),
      on: world.stream)
    let found = try world.download(y.address, count: tokens * heads * columns, as: Float.self)
    #expect(bits(found) == bits(expected.values))
  }
}
