import CGPUKernels
import Tensors
import Testing

@testable import CPUCompute

/// Attention over a cache, bit for bit the processor's.
@Suite struct AttentionKernelTests {
  struct Case: Sendable, CustomStringConvertible {
    var heads = 4
    var cacheHeads = 2
    var keyLength = 16
    /// Nil: a value is the beginning of its key.
    var valueLength: Int? = 16
    var cached = 40
    var tokens = 3
    var window: Int?
    var sinks = false
    var type = ElementType.f32
    var description: String {
      "\(heads)/\(cacheHeads) heads, \(keyLength)/\(valueLength ?? -1), \(cached)+\(tokens), "
        + "window \(window ?? 0), sinks \(sinks), \(type.name)"
    }
  }

  static let cases: [Case] = [
    Case(), Case(cached: 0, tokens: 1), Case(cached: 0, tokens: 5), Case(cached: 255, tokens: 2),
    Case(cached: 256, tokens: 1), Case(heads: 2, cached: 510, tokens: 4),
    Case(heads: 2, cached: 300, tokens: 2, window: 280),
    Case(heads: 2, cached: 530, tokens: 3, window: 9, sinks: true),
    Case(heads: 6, cacheHeads: 1, cached: 600, tokens: 1, sinks: true, type: .f16),
    Case(
      heads: 4, cacheHeads: 1, keyLength: 48, valueLength: nil, cached: 300, tokens: 1,
      type: .f16),
    Case(
      heads: 3, cacheHeads: 1, keyLength: 37, valueLength: 21, cached: 255, tokens: 3, type: .f16),
    Case(heads: 4, cacheHeads: 1, keyLength: 32, cached: 20, tokens: 3, type: .q8_0),
    Case(heads: 1, cacheHeads: 1, keyLength: 5, valueLength: 3, cached: 70, tokens: 3),
    Case(heads: 2, cacheHeads: 1, keyLength: 80, valueLength: nil, cached: 33, tokens: 3),
    Case(heads: 2, cached: 90, tokens: 20, window: 8),
    Case(heads: 2, cached: 3, tokens: 40, window: 33, sinks: true),
    Case(keyLength: 32, valueLength: 64, type: .f16),
    Case(keyLength: 40, valueLength: 24, type: .q8_0),
    Case(heads: 2, cacheHeads: 1, keyLength: 80, valueLength: nil, type: .q8_0),
    Case(
      heads: 2, cacheHeads: 1, keyLength: 576, valueLength: nil, cached: 257, tokens: 1,
      type: .q8_0),
    Case(heads: 2, cacheHeads: 2, keyLength: 1, valueLength: 1, cached: 1030, tokens: 1),
  ]

  /// What a case is computed from.
  private struct World {
    var keys: [Float]
    var values: [Float]
    var queries: [Float]
    var sinks: [Float]
  }

  private func world(_ c: Case) -> World {
    let length = c.cached + c.tokens
    return World(
      keys: randomNumbers(length * c.cacheHeads * c.keyLength, seed: 71, scale: 2),
      values: randomNumbers(length * c.cacheHeads * (c.valueLength ?? 0), seed: 72, scale: 2),
      queries: randomNumbers(c.tokens * c.heads * c.keyLength, seed: 73, scale: 2),
      sinks: randomNumbers(c.heads, seed: 74, scale: 3))
  }

  /// Runs a case on both; the kernel's blocks have `threads` threads.
  private func compare(_ c: Case, _ world: World, threads: Int, seeds: [UInt64]) throws {
    let compute = try CPUBackend(threadCount: 1)
    let space = Workspace()
    func activation(_ numbers: [Float], rows: Int) throws -> Activation {
      let x = try space.take(rows: rows, columns: numbers.count / rows)
      for (index, number) in numbers.enumerated() {
        x.row(index / x.columnCount)[index % x.columnCount] = number
      }
      return x
    }
    let length = c.cached + c.tokens
    let valueLength = c.valueLength ?? max(1, c.keyLength - 16)
    let keys = try CacheRows(
      type: c.type, headCount: c.cacheHeads, length: c.keyLength, capacity: length)
    compute.store(try activation(world.keys, rows: length), in: keys, from: 0)
    let values = try c.valueLength.map {
      try CacheRows(type: c.type, headCount: c.cacheHeads, length: $0, capacity: length)
    }
    if let values {
      compute.store(try activation(world.values, rows: length), in: values, from: 0)
    }
    let queries = try activation(world.queries, rows: c.tokens)
    let sinks = c.sinks ? FloatVector(world.sinks) : nil
    let expected = try space.take(rows: c.tokens, columns: c.heads * valueLength)
    try compute.attend(
      queries, keys: keys, values: values, position: c.cached,
      shape: AttentionShape(
        headCount: c.heads, keyLength: c.keyLength, valueLength: valueLength, scale: 0.3,
        window: c.window),
      sinks: sinks, into: expected)

    var arguments = gpu_attention_arguments()
    arguments.queries = UInt64(UInt(bitPattern: queries.base))
    arguments.keys = address(keys, head: 0)
    arguments.values = values.map { address($0, head: 0) } ?? 0
    arguments.sinks = sinks.map { UInt64(UInt(bitPattern: $0.base)) } ?? 0
    if c.cacheHeads > 1 {
      arguments.key_head_stride = address(keys, head: 1) - address(keys, head: 0)
      arguments.value_head_stride = values.map { address($0, head: 1) - address($0, head: 0) } ?? 0
    }
    (arguments.query_stride, arguments.rows) = (UInt32(queries.stride), UInt32(c.tokens))
    (arguments.heads, arguments.group) = (UInt32(c.heads), UInt32(c.heads / c.cacheHeads))
    (arguments.key_length, arguments.value_length) = (UInt32(c.keyLength), UInt32(valueLength))
    (arguments.position, arguments.window) = (UInt32(c.cached), UInt32(c.window ?? 0))
    (arguments.element_type, arguments.scale) = (c.type.rawValue, 0.3)
    arguments.key_stride = UInt32(keys.headByteCount)
    arguments.value_stride = UInt32(values?.headByteCount ?? 0)
    arguments.out_stride = UInt32(c.heads * valueLength)
    let shared = gpu_attention_shared(arguments.key_length, arguments.value_length)
    for seed in seeds {
      let out = KernelMemory(count: c.tokens * c.heads * valueLength)
      arguments.out = out.address
      let numbers = bits((0..<c.tokens).flatMap { expected.values(ofRow: $0) })
      try emulate(
        "attention", grid: (c.tokens, c.heads, 1), block: threads, sharedByteCount: Int(shared),
        arguments, seed: seed)
      #expect(bits(out.buffer) == numbers)
      let apart = try inParts(arguments, count: seed == 0 ? 2 : 3, threads: threads, seed: seed)
      #expect(apart == numbers)
    }
  }

  /// The same with blocks of positions computed apart.
  private func inParts(
    _ whole: gpu_attention_arguments, count: Int, threads: Int, seed: UInt64
  ) throws -> [UInt32] {
    var arguments = whole
    let (rows, heads) = (Int(whole.rows), Int(whole.heads))
    arguments.blocks = (whole.position + whole.rows - 1) / 256 + 2
    let scratch = KernelMemory(
      count: rows * heads * Int(gpu_attention_scratch(whole.value_length, arguments.blocks)))
    let out = KernelMemory(count: rows * heads * Int(whole.value_length))
    (arguments.scratch, arguments.out) = (scratch.address, 0)
    try emulate(
      "attention", grid: (rows, heads, count), block: threads,
      sharedByteCount: Int(gpu_attention_shared(whole.key_length, whole.value_length)), arguments,
      seed: seed)
    let merge = gpu_attention_merge_arguments(
      scratch: scratch.address, out: out.address, sinks: whole.sinks,
      out_stride: whole.out_stride, rows: whole.rows, heads: whole.heads,
      value_length: whole.value_length, position: whole.position, window: whole.window,
      blocks: arguments.blocks)
    try emulate("attention_merge", grid: (rows, heads, 1), block: 7, merge, seed: seed)
    return bits(out.buffer)
  }

  private func address(_ rows: CacheRows, head: Int) -> UInt64 {
    UInt64(UInt(bitPattern: rows.pointer(position: 0, head: head)))
  }

  @Test(arguments: cases)
  func `attention has the processor's bits`(_ c: Case) throws {
    let world = world(c)
    try compare(c, world, threads: 256, seeds: [7])
    try compare(c, world, threads: 96, seeds: [0])
  }

  @Test(arguments: [false, true])
  func `scores without a number, and infinite ones, end as on the processor`(
    _ sinks: Bool
  ) throws {
    var c = Case(heads: 2, cacheHeads: 1, cached: 258, tokens: 2, window: nil, sinks: sinks)
    for hard in [Float.nan, .infinity, -.infinity, 1e30] {
      var world = world(c)
      // One key of the first block; then all keys of the second.
      world.keys[20 * c.keyLength] = hard
      try compare(c, world, threads: 64, seeds: [7])
      for position in 256..<260 { world.keys[position * c.keyLength] = hard }
      try compare(c, world, threads: 64, seeds: [7])
    }
    // Every visible key of a window.
    c.window = 2
    var world = world(c)
    for index in world.keys.indices { world.keys[index] = .nan }
    try compare(c, world, threads: 64, seeds: [7])
  }

  @Test func `one position's exponential is the processor's from one to nothing`() throws {
    // Every token sees two positions, one with score 0 and value 0, one with a lower score and a large
    // value.
    let c = Case(
      heads: 1, cacheHeads: 1, keyLength: 1, valueLength: 1, cached: 1, tokens: 900, window: 2)
    let length = c.cached + c.tokens
    var world = world(c)
    world.queries = [Float](repeating: 1, count: c.tokens)
    world.keys = (0..<length).map { $0 % 2 == 0 ? 0 : -Float($0) * 0.3245 }
    world.values = (0..<length).map { $0 % 2 == 0 ? 0 : 1e38 }
    try compare(c, world, threads: 32, seeds: [0])
  }

  @Test func `a hundred thousand positions are attended to`() throws {
    let c = Case(
      heads: 2, cacheHeads: 2, keyLength: 2, valueLength: 1, cached: 100_000, tokens: 1, type: .f16)
    try compare(c, world(c), threads: 256, seeds: [7])
  }

  @Test func `far apart scores fade to nothing and leave no denormals behind`() throws {
    let c = Case(heads: 2, cacheHeads: 1, cached: 520, tokens: 1)
    var world = world(c)
    for index in world.queries.indices { world.queries[index] *= 30 }
    try compare(c, world, threads: 128, seeds: [7])
    // Scores that fall with the position, and that rise.
    for sign in [Float(1), -1] {
      for index in world.keys.indices {
        world.keys[index] = sign * Float(index / c.keyLength) * 0.05
      }
      try compare(c, world, threads: 128, seeds: [0])
    }
  }
}
