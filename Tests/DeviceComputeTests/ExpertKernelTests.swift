import CGPUKernels
import CPUCompute
import DeviceCompute
import Devices
import Tensors
import Testing

/// A layer's experts on both sides, and which rows go to which.
private struct ExpertCase {
  var gate: ElementType
  var up: ElementType
  var down: ElementType
  var hidden: Int
  var width: Int
  var tokens: Int
  var activation = GatedActivation.silu
  var hasBiases = false
  /// (expert, tokens of its rows); nil: one network that all tokens go to in their order.
  var groups: [(expert: Int, tokens: [Int32])]?
  /// Whether gate and up are tame, so that what is between the halves has numbers.
  var isTame = true
  let expertCount = 3
}

/// What both halves gave: records between them, rows behind them.
private struct ExpertResults: Equatable {
  var hidden: [UInt8]
  var rows: [UInt32]
}

/// A case with its weights.
private final class ExpertSetup {
  let shape: ExpertCase
  let groups: [(expert: Int, tokens: [Int32])]
  let x: [[Float]]
  let gate: [HostWeights]
  let up: [HostWeights]
  let down: [HostWeights]
  let gateBias: [Float]
  let upBias: [Float]
  let downBias: [Float]

  init(_ shape: ExpertCase) throws {
    self.shape = shape
    groups = shape.groups ?? [(0, (0..<Int32(shape.tokens)).map { $0 })]
    x = hardActivations(shape.tokens, columns: shape.hidden, seed: 77)
    func weights(
      _ type: ElementType, _ rows: Int, _ columns: Int, _ seed: Int, isTame: Bool
    ) throws -> [HostWeights] {
      try (0..<shape.expertCount).map {
        try HostWeights(
          type, rows: rows, columns: columns, seed: UInt64(seed + $0), isTame: isTame)
      }
    }
    gate = try weights(shape.gate, shape.width, shape.hidden, 100, isTame: shape.isTame)
    up = try weights(shape.up, shape.width, shape.hidden, 200, isTame: shape.isTame)
    down = try weights(shape.down, shape.hidden, shape.width, 300, isTame: false)
    let experts = shape.hasBiases ? shape.expertCount : 0
    gateBias = randomNumbers(experts * shape.width, seed: 1, scale: 3)
    upBias = randomNumbers(experts * shape.width, seed: 2, scale: 3)
    downBias = randomNumbers(experts * shape.hidden, seed: 3, scale: 3)
  }

  var rowCount: Int { groups.reduce(0) { $0 + $1.tokens.count } }
  var outWidth: Int { down[0].matrix.activationWidth }
  var recordByteCount: Int {
    RowRecords.byteCount(rowCount: rowCount, columnCount: shape.width, width: outWidth)
  }

  /// Rows of one group after the other, as the processor computes them.
  func onProcessor(_ compute: CPUBackend) throws -> ExpertResults {
    let memory = UnsafeMutableRawPointer.allocate(byteCount: recordByteCount, alignment: 64)
    defer { memory.deallocate() }
    let records = RowRecords(
      base: memory, rowCount: rowCount, columnCount: shape.width, width: outWidth)
    let y = HostRows(rowCount: rowCount, columnCount: shape.hidden)
    let rows = HostRows(x)
    try perform(compute, into: records, y.activation) { expert, tokens, bias, out in
      GatedProduct(
        rows.activation, rows: tokens[...], gate: gate[expert].matrix, up: up[expert].matrix,
        gateBias: bias.gate, upBias: bias.up, activation: shape.activation, into: out)
    }
    return results(UnsafeRawPointer(memory), y.values)
  }

  /// The same from records that a device wrote into memory of both.
  func onProcessor(
    _ compute: CPUBackend, gateX: RowRecords, upX: RowRecords, records: RowRecords,
    recordBase: UnsafeRawPointer, into y: Activation
  ) throws -> ExpertResults {
    try perform(compute, into: records, y) { expert, tokens, bias, out in
      GatedProduct(
        gateX: gateX, upX: upX, rows: tokens[...], gate: gate[expert].matrix,
        up: up[expert].matrix, gateBias: bias.gate, upBias: bias.up,
        activation: shape.activation, into: out)
    }
    return results(recordBase, (0..<rowCount).flatMap { y.values(ofRow: $0) })
  }

  private typealias Biases = (gate: UnsafePointer<Float>?, up: UnsafePointer<Float>?)

  private func perform(
    _ compute: CPUBackend, into records: RowRecords, _ y: Activation,
    gated: (Int, [Int32], Biases, RowRecords) -> GatedProduct
  ) throws {
    try gateBias.withUnsafeBufferPointer { gateBias in
      try upBias.withUnsafeBufferPointer { upBias in
        try downBias.withUnsafeBufferPointer { downBias in
          var first = 0
          for (expert, tokens) in groups {
            let range = first..<(first + tokens.count)
            first = range.upperBound
            guard !range.isEmpty else { continue }
            func bias(_ numbers: UnsafeBufferPointer<Float>, _ count: Int)
              -> UnsafePointer<Float>?
            {
              shape.hasBiases ? numbers.baseAddress.map { $0 + expert * count } : nil
            }
            let biases = (bias(gateBias, shape.width), bias(upBias, shape.width))
            try compute.multiplyGated([gated(expert, tokens, biases, records.rows(range))])
            try compute.multiply([
              MatrixProduct(
                records.rows(range), down[expert].matrix, bias: bias(downBias, shape.hidden),
                into: y.rows(range))
            ])
          }
        }
      }
    }
  }

  /// NaNs of F32 are one NaN.
  private func results(_ records: UnsafeRawPointer, _ rows: [Float]) -> ExpertResults {
    let bytes = (0..<recordByteCount).map { records.load(fromByteOffset: $0, as: UInt8.self) }
    return ExpertResults(hidden: comparable(bytes), rows: bits(rows))
  }

  private func comparable(_ bytes: [UInt8]) -> [UInt8] {
    guard outWidth == 0 else { return bytes }
    return bytes.withUnsafeBytes { bytes in
      bits(
        (0..<bytes.count / 4).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
      )
      .flatMap { number in (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }
    }
  }

  /// All groups in one launch for each half.
  func onDevice(_ world: DeviceWorld) throws -> ExpertResults {
    let source = try world.rows(x)
    let gateX = try world.records(source, width: gate[0].matrix.activationWidth)
    let upX = try world.records(source, width: up[0].matrix.activationWidth)
    let layout = ExpertSlotLayout(
      gate: gate[0].matrix, up: up[0].matrix, down: down[0].matrix)
    var table: [gpu_expert_group] = []
    var rowTokens: [Int32] = []
    for (expert, tokens) in groups {
      var slot = [UInt64](repeating: 0, count: layout.byteCount / 8)
      for (matrix, weights) in zip(layout.matrices, [gate, up, down]) {
        let tiles = weights[expert].tiles(by: world.compute)
        slot.replaceSubrange(
          Int(matrix.address) / 8..<Int(matrix.address) / 8 + tiles.count, with: tiles)
      }
      table.append(
        gpu_expert_group(
          slot: try world.upload(slot), expert: UInt32(expert), first: UInt32(rowTokens.count),
          count: UInt32(tokens.count), reserved: 0))
      rowTokens += tokens
    }
    let launched = DeviceExpertGroups(
      address: try world.upload(table), groupCount: table.count,
      mostRows: groups.reduce(0) { max($0, $1.tokens.count) })
    func bias(_ numbers: [Float]) throws -> UInt64 {
      shape.hasBiases ? try world.upload(numbers) : 0
    }
    let hidden = DeviceRecords(
      address: try world.memory(byteCount: recordByteCount), rowCount: rowCount,
      columnCount: shape.width, width: outWidth)
    try world.operations.gated(
      launched, gate: layout.gate, up: layout.up, gateBias: try bias(gateBias),
      upBias: try bias(upBias), gateX: gateX, upX: upX,
      rowTokens: shape.groups == nil ? 0 : try world.upload(rowTokens),
      activation: shape.activation, into: hidden, on: world.stream)
    let y = DeviceRows(
      address: try world.memory(byteCount: 4 * rowCount * shape.hidden), rowCount: rowCount,
      columnCount: shape.hidden)
    try world.operations.down(
      launched, layout.down, bias: try bias(downBias), x: hidden, into: y, on: world.stream)
    return ExpertResults(
      hidden: comparable(
        try world.download(hidden.address, count: recordByteCount, as: UInt8.self)),
      rows: bits(try world.download(y.address, count: rowCount * shape.hidden, as: Float.self)))
  }
}

/// Both halves of experts on the device have the processor's bits, the records between them included.
@Suite struct ExpertKernelTests {
  /// Groups of several sizes, one of them empty, tokens more than once and in any order.
  private static let groups: [(expert: Int, tokens: [Int32])] = [
    (2, [0, 2, 1, 1, 0, 2, 2]), (0, [1]), (1, []), (1, [2, 0]),
  ]

  private func check(_ shape: ExpertCase, seeds: [UInt64?] = [nil, 4]) throws {
    let setup = try ExpertSetup(shape)
    let expected = try setup.onProcessor(try CPUBackend(threadCount: 1))
    if shape.isTame {
      let numbers = expected.rows.count { Float(bitPattern: $0).isFinite }
      #expect(4 * numbers >= expected.rows.count, "NaNs hide what is wrong: \(shape)")
    }
    for seed in seeds {
      let found = try setup.onDevice(try DeviceWorld(seed: seed))
      #expect(found.hidden == expected.hidden, "records of \(shape), order \(seed ?? 0)")
      #expect(found.rows == expected.rows, "rows of \(shape), order \(seed ?? 0)")
    }
  }

  @Test(arguments: productTypes)
  func `experts of every type have the processor's bits`(_ type: ElementType) throws {
    let block = type.elementsPerBlock
    let columns = block == 1 ? 45 : block
    // Gate and up of the type, then down of the type.
    try check(
      ExpertCase(
        gate: type, up: type, down: .q8_0, hidden: columns, width: 96, tokens: 3,
        activation: .clampedSwiGLU(alpha: 1.702, limit: 7), hasBiases: true, groups: Self.groups),
      seeds: [UInt64(type.rawValue)])
    try check(
      ExpertCase(
        gate: .q4_0, up: .q4_0, down: type, hidden: 32, width: columns, tokens: 3,
        groups: Self.groups), seeds: [nil])
    try check(
      ExpertCase(
        gate: type, up: type, down: .q8_0, hidden: columns, width: 32, tokens: 4,
        groups: Self.groups, isTame: false), seeds: [nil])
  }

  @Test(arguments: [256, 512, 768])
  func `records of 256 numbers are written by runs of sixteen tiles`(_ width: Int) throws {
    try check(
      ExpertCase(
        gate: .q4_0, up: .q4_0, down: .q4_K, hidden: 32, width: width, tokens: 3,
        hasBiases: width == 512, groups: Self.groups))
  }

  @Test(arguments: [1, 2, 31, 32, 33, 70])
  func `hidden rows may stay F32, of any length`(_ width: Int) throws {
    try check(
      ExpertCase(
        gate: .f16, up: .bf16, down: .f32, hidden: 9, width: width, tokens: 3,
        activation: .clampedSwiGLU(alpha: 1.702, limit: 7), groups: Self.groups))
  }

  @Test func `gate, up and down may be of different types`() throws {
    try check(
      ExpertCase(
        gate: .q4_K, up: .q8_0, down: .q6_K, hidden: 256, width: 256, tokens: 3,
        groups: Self.groups))
  }

  @Test(arguments: [1, 2, 4, 5, 33])
  func `without a table of tokens row i reads token i`(_ tokens: Int) throws {
    try check(
      ExpertCase(gate: .q8_0, up: .q8_0, down: .q5_1, hidden: 32, width: 32, tokens: tokens))
  }

  @Test func `the processor reads records that the device wrote, and writes rows that it reads`()
    throws
  {
    let setup = try ExpertSetup(
      ExpertCase(
        gate: .q4_K, up: .q8_0, down: .q6_K, hidden: 256, width: 256, tokens: 3, hasBiases: true,
        groups: Self.groups))
    let world = try DeviceWorld()
    let expected = try setup.onProcessor(world.compute)
    let source = try world.rows(setup.x)
    func mapped(_ width: Int) throws -> RowRecords {
      var records = DeviceRecords(address: 0, rowCount: 3, columnCount: 256, width: width)
      let copy = try world.hostMemory(byteCount: records.byteCount)
      records.address = try world.memory(byteCount: records.byteCount)
      try world.operations.quantize(
        source, into: records, copy: copy.deviceAddress, on: world.stream)
      return RowRecords(base: copy.base, rowCount: 3, columnCount: 256, width: width)
    }
    let (gateX, upX) = (try mapped(256), try mapped(32))
    try world.stream.synchronize()
    let hidden = try world.hostMemory(byteCount: setup.recordByteCount)
    let y = try world.hostMemory(byteCount: 4 * setup.rowCount * 256)
    let found = try setup.onProcessor(
      world.compute, gateX: gateX, upX: upX,
      records: RowRecords(
        base: hidden.base, rowCount: setup.rowCount, columnCount: 256, width: setup.outWidth),
      recordBase: UnsafeRawPointer(hidden.base),
      into: Activation(
        base: y.base.assumingMemoryBound(to: Float.self), rowCount: setup.rowCount,
        columnCount: 256, stride: 256))
    #expect(found == expected)
  }
}
