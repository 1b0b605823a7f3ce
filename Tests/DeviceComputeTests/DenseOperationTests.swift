import CPUCompute
import DeviceCompute
import Devices
import Tensors
import Testing

/// The typed launches of the dense part on the emulated device, against the processor's operations: that
/// every shape and stride arrives.
@Suite struct DenseOperationTests {
  /// Rows of random numbers, as values.
  private func numbers(_ rows: Int, _ columns: Int, seed: UInt64, scale: Float = 2) -> [[Float]] {
    let all = randomNumbers(rows * columns, seed: seed, scale: scale)
    return (0..<rows).map { Array(all[$0 * columns..<($0 + 1) * columns]) }
  }

  /// Rows in device memory that lie further apart than they are long.
  private func apart(_ values: [[Float]], in world: DeviceWorld) throws -> DeviceRows {
    let columns = values[0].count
    let padded = values.map { $0 + [Float](repeating: 777, count: 5) }
    return DeviceRows(
      address: try world.upload(padded.flatMap { $0 }), rowCount: values.count,
      columnCount: columns, stride: columns + 5)
  }

  private func empty(_ rows: Int, _ columns: Int, in world: DeviceWorld) throws -> DeviceRows {
    try apart(
      [[Float]](repeating: [Float](repeating: 0, count: columns), count: rows), in: world)
  }

  private func values(_ rows: DeviceRows, in world: DeviceWorld) throws -> [UInt32] {
    let all = try world.download(
      rows.address, count: (rows.rowCount - 1) * rows.stride + rows.columnCount, as: Float.self)
    return bits(
      (0..<rows.rowCount).flatMap { all[$0 * rows.stride..<$0 * rows.stride + rows.columnCount] })
  }

  @Test func `norms of heads, and of a sum`() throws {
    let world = try DeviceWorld(seed: 3)
    let (x, change) = (numbers(3, 66, seed: 1), numbers(3, 66, seed: 2))
    let weight = FloatVector(randomNumbers(66, seed: 3))
    let half = weight.slice(0..<33)
    let host = HostRows(x)
    let hostChange = HostRows(change)
    let hostOut = HostRows(rowCount: 3, columnCount: 66)
    let device = try apart(x, in: world)
    let deviceChange = try apart(change, in: world)
    let out = try empty(3, 66, in: world)
    let weights = try world.upload((0..<66).map { weight[$0] })
    let (operations, stream) = (world.operations, world.stream)

    world.compute.normalize(
      host.activation, weight: half, epsilon: 1e-5, segments: 2, into: hostOut.activation)
    try operations.normalize(
      device, weight: weights, segments: 2, epsilon: 1e-5, into: out, on: stream)
    #expect(try values(out, in: world) == bits(hostOut.values))

    world.compute.add(
      hostChange.activation, to: host.activation, normalizedBy: weight, epsilon: 1e-6,
      into: hostOut.activation)
    try operations.normalize(
      device, adding: deviceChange, weight: weights, epsilon: 1e-6, into: out, on: stream)
    #expect(try values(out, in: world) == bits(hostOut.values))
    #expect(try values(device, in: world) == bits(host.values))

    world.compute.add(hostChange.activation, to: host.activation)
    try operations.add(deviceChange, to: device, on: stream)
    #expect(try values(device, in: world) == bits(host.values))
  }

  @Test(arguments: [RotaryLayout.halves, .interleaved])
  func `rotated heads, copied columns, weighed rows`(_ layout: RotaryLayout) throws {
    let world = try DeviceWorld(seed: 4)
    let x = numbers(3, 2 * 21, seed: 4)
    let angles = try RotaryAngles(rowCount: 3, pairCount: 8)
    for row in 0..<3 {
      for pair in 0..<8 {
        angles.cosines(row)[pair] = Float(row * 8 + pair) / 30
        angles.sines(row)[pair] = 1 - Float(row * 8 + pair) / 40
      }
    }
    func table(_ numbers: (Int) -> UnsafeMutablePointer<Float>) throws -> DeviceRows {
      try apart((0..<3).map { row in (0..<8).map { numbers(row)[$0] } }, in: world)
    }
    let host = HostRows(x)
    world.compute.rotate(
      host.activation, headCount: 2, headLength: 21, offset: 4, angles: angles, layout: layout)
    let device = try apart(x, in: world)
    try world.operations.rotate(
      device, headCount: 2, headLength: 21, offset: 4, cosines: try table(angles.cosines),
      sines: try table(angles.sines), layout: layout, on: world.stream)
    #expect(try values(device, in: world) == bits(host.values))

    let copy = try empty(3, 2 * 9, in: world)
    try world.operations.copyColumns(
      DeviceHeads(first: device.columns(12..<21), headCount: 2, headStride: 21),
      into: DeviceHeads(first: copy.columns(0..<9), headCount: 2, headStride: 9), on: world.stream)
    let copied = (0..<3).flatMap { row in
      (0..<2).flatMap { head in
        Array(host.activation.values(ofRow: row)[head * 21 + 12..<head * 21 + 21])
      }
    }
    #expect(try values(copy, in: world) == bits(copied))

    let gates = HostRows([[0.3], [-4], [12]])
    let gate = try apart([[0.3], [-4], [12]], in: world)
    try world.operations.weigh(copy, by: gate, on: world.stream)
    world.compute.sigmoid(gates.activation)
    #expect(
      try values(copy, in: world)
        == bits(copied.indices.map { copied[$0] * gates.values[$0 / 18] }))
  }

  struct AttentionCase: Sendable, CustomStringConvertible {
    var cached = 700
    var tokens = 1
    var heads = 4
    var cacheHeads = 2
    var keyLength = 24
    var valueLength: Int? = 12
    var window: Int?
    var type = ElementType.f16
    var description: String {
      "\(cached)+\(tokens), \(heads)/\(cacheHeads) heads, window \(window ?? 0), \(type.name)"
    }
  }

  @Test(arguments: [
    AttentionCase(), AttentionCase(tokens: 2), AttentionCase(cached: 20, tokens: 3),
    AttentionCase(window: 300), AttentionCase(window: 20, type: .q8_0),
    AttentionCase(cached: 520, heads: 130, cacheHeads: 1, keyLength: 4, valueLength: 4),
    AttentionCase(cached: 300, heads: 3, cacheHeads: 1, valueLength: nil, type: .f32),
  ])
  func `attention over a cache, whole and in parts`(_ c: AttentionCase) throws {
    let world = try DeviceWorld(seed: 5)
    let length = c.cached + c.tokens
    let valueLength = c.valueLength ?? c.keyLength - 5
    let keys = numbers(length, c.cacheHeads * c.keyLength, seed: 6)
    let values = numbers(length, c.cacheHeads * valueLength, seed: 7)
    let queries = numbers(c.tokens, c.heads * c.keyLength, seed: 8)
    let sinks = randomNumbers(c.heads, seed: 9)
    let shape = AttentionShape(
      headCount: c.heads, keyLength: c.keyLength, valueLength: valueLength, scale: 0.2,
      window: c.window)

    let hostKeys = try CacheRows(
      type: c.type, headCount: c.cacheHeads, length: c.keyLength, capacity: length)
    let hostRows = (keys: HostRows(keys), values: HostRows(values))
    world.compute.store(hostRows.keys.activation, in: hostKeys, from: 0)
    var hostValues: CacheRows?
    if c.valueLength != nil {
      let rows = try CacheRows(
        type: c.type, headCount: c.cacheHeads, length: valueLength, capacity: length)
      world.compute.store(hostRows.values.activation, in: rows, from: 0)
      hostValues = rows
    }
    let hostQueries = HostRows(queries)
    let expected = HostRows(rowCount: c.tokens, columnCount: c.heads * valueLength)
    try world.compute.attend(
      hostQueries.activation, keys: hostKeys, values: hostValues, position: c.cached, shape: shape,
      sinks: FloatVector(sinks), into: expected.activation)

    func cache(_ rows: [[Float]], length columns: Int) throws -> DeviceCacheRows {
      var cache = DeviceCacheRows(
        address: 0, headCount: c.cacheHeads, length: columns, type: c.type, capacity: length + 3)
      cache.address = try world.memory(byteCount: cache.byteCount)
      // In two pieces, as a prompt and what follows it.
      let device = try apart(rows, in: world)
      try world.operations.store(
        device.rows(0..<c.cached), in: cache, from: 0, on: world.stream)
      try world.operations.store(
        device.rows(c.cached..<length), in: cache, from: c.cached, on: world.stream)
      return cache
    }
    let deviceKeys = try cache(keys, length: c.keyLength)
    let deviceValues = try c.valueLength.map { try cache(values, length: $0) }
    let deviceQueries = try apart(queries, in: world)
    let deviceSinks = try world.upload(sinks)
    let count = DeviceOperations.attentionScratchCount(shape: shape, positionCount: length)
    #expect((count == 0) == (length <= 256 || c.heads > 127))
    for scratch in [0, try world.memory(byteCount: 4 * count)] {
      let out = try empty(c.tokens, c.heads * valueLength, in: world)
      try world.operations.attend(
        deviceQueries, keys: deviceKeys, values: deviceValues, position: c.cached, shape: shape,
        sinks: deviceSinks, scratch: count == 0 ? 0 : scratch, into: out, on: world.stream)
      #expect(try self.values(out, in: world) == bits(expected.values))
    }
  }

  @Test func `routed experts and the sum of their rows`() throws {
    let world = try DeviceWorld(seed: 6)
    let logits = try apart([[0, 3, 1, 3, -2], [5, 4, 4, 0, .nan]], in: world)
    let ids = try world.hostMemory(byteCount: 16)
    let weights = try world.hostMemory(byteCount: 16)
    let deviceWeights = try world.memory(byteCount: 16)
    var routing = DeviceRouting(gating: .softmaxOfChosen, activeCount: 2, normalizes: false)
    routing.scale = 2
    try world.operations.route(
      logits, by: routing,
      into: DeviceRoutes(
        ids: ids.deviceAddress, weights: weights.deviceAddress, deviceWeights: deviceWeights),
      on: world.stream)
    let word = try world.hostMemory(byteCount: 4).word(at: 0)
    try world.operations.publish(41, to: word, on: world.stream)
    try world.stream.synchronize()
    #expect(word.base.pointee == 41)
    #expect((0..<4).map { ids.base.load(fromByteOffset: 4 * $0, as: Int32.self) } == [1, 3, 0, 1])
    let found = (0..<4).map { weights.base.load(fromByteOffset: 4 * $0, as: Float.self) }
    #expect(found[0] == 1 && found[1] == 1 && abs(found[2] - 1.462117) < 1e-5)
    #expect(try world.download(deviceWeights, count: 4, as: Float.self) == found)

    let rows = numbers(4, 7, seed: 10)
    let shared = numbers(2, 7, seed: 11)
    let (host, hostShared) = (HostRows(rows), HostRows(shared))
    let expected = HostRows(rowCount: 2, columnCount: 7)
    world.compute.combine(
      host.activation, order: [2, 0, 3, 1], weights: found, ranks: 2, into: expected.activation)
    world.compute.add(hostShared.activation, to: expected.activation)
    let all = try apart(rows, in: world)
    let origins = try world.upload([UInt32(2), 0 | 1 << 31, 3 | 1 << 31, 1])
    let out = try empty(2, 7, in: world)
    try world.operations.combine(
      deviceRows: all, hostRows: all.address, origins: origins, weights: deviceWeights, ranks: 2,
      shared: try apart(shared, in: world), into: out, on: world.stream)
    #expect(try values(out, in: world) == bits(expected.values))
  }
}
