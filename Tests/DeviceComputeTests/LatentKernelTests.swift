import CGPUKernels
import Tensors
import Testing

@testable import CPUCompute

/// Latent attention with every head's own keys: cached rows to F32, keys made of them, attention over
/// these, against the processor's attention that does the three block by block.
@Suite struct LatentKernelTests {
  struct Shape: Sendable, CustomStringConvertible {
    var heads = 3
    var latent = 32
    var plain = 13
    var rotary = 6
    var value = 20
    /// All positions, of which the tokens are the last.
    var length = 261
    var tokens = 5
    var type = ElementType.f32
    var description: String {
      "\(heads) heads, \(latent)+\(rotary) to \(plain)+\(value), \(length), \(type.name)"
    }
  }

  static let shapes: [Shape] = [
    Shape(), Shape(type: .f16), Shape(type: .q8_0),
    Shape(heads: 2, latent: 64, plain: 70, rotary: 8, value: 5, length: 130, tokens: 9, type: .f16),
    Shape(heads: 1, latent: 37, plain: 64, rotary: 2, value: 33, length: 64, tokens: 64),
    Shape(heads: 2, latent: 16, plain: 1, rotary: 4, value: 8, length: 1, tokens: 1, type: .q8_0),
  ]

  @Test(arguments: shapes)
  func `expanded latents attend as on the processor`(_ s: Shape) throws {
    let compute = try CPUBackend(threadCount: 1)
    let space = Workspace()
    let width = s.latent + s.rotary
    let keyLength = s.plain + s.rotary
    func activation(_ numbers: [Float], rows: Int) throws -> Activation {
      let x = try space.take(rows: rows, columns: numbers.count / rows)
      for (index, number) in numbers.enumerated() {
        x.row(index / x.columnCount)[index % x.columnCount] = number
      }
      return x
    }
    let cached = try activation(randomNumbers(s.length * width, seed: 41), rows: s.length)
    let cache = try CacheRows(type: s.type, headCount: 1, length: width, capacity: s.length)
    compute.store(cached, in: cache, from: 0)
    let queries = try activation(
      randomNumbers(s.tokens * s.heads * keyLength, seed: 42), rows: s.tokens)
    let keyWeights = KernelMemory(randomNumbers(s.heads * s.plain * s.latent, seed: 43))
    let valueWeights = KernelMemory(randomNumbers(s.heads * s.value * s.latent, seed: 44))
    func matrices(_ memory: KernelMemory<Float>, rows: Int) throws -> [WeightMatrix] {
      let whole = try #require(
        WeightMatrix(
          base: memory.base, type: .f32, rowCount: s.heads * rows, columnCount: s.latent))
      return (0..<s.heads).map { whole.rows($0 * rows..<($0 + 1) * rows) }
    }
    let values = try matrices(valueWeights, rows: s.value)
    let expected = try space.take(rows: s.tokens, columns: s.heads * s.value)
    try compute.attend(
      queries, latents: cache,
      expansion: LatentExpansion(
        keys: .direct(try matrices(keyWeights, rows: s.plain)), values: values,
        latentLength: s.latent, plainLength: s.plain, rotaryLength: s.rotary),
      position: s.length - s.tokens,
      shape: AttentionShape(
        headCount: s.heads, keyLength: keyLength, valueLength: s.value, scale: 0.3),
      into: expected)

    for seed in [UInt64(0), 7] {
      let stride = width + 1
      let rows = KernelMemory(count: s.length * stride)
      let load = gpu_load_rows_arguments(
        cache: UInt64(UInt(bitPattern: cache.pointer(position: 0, head: 0))), y: rows.address,
        first: 0, rows: UInt32(s.length), columns: UInt32(width), element_type: s.type.rawValue,
        row_bytes: UInt32(cache.headByteCount), y_stride: UInt32(stride))
      try emulate("load_rows", grid: (s.length, 1, 1), block: 64, load, seed: seed)

      let headStride = (s.length + 2) * keyLength
      let keys = KernelMemory(count: s.heads * headStride)
      let expand = gpu_expand_keys_arguments(
        latents: rows.address, weights: keyWeights.address, keys: keys.address,
        key_head_stride: UInt64(headStride), rows: UInt32(s.length), heads: UInt32(s.heads),
        plain: UInt32(s.plain), latent: UInt32(s.latent), rotary: UInt32(s.rotary),
        latent_stride: UInt32(stride))
      try emulate(
        "expand_keys", grid: ((s.length + 63) / 64, (s.plain + 63) / 64, s.heads), block: 256,
        expand, seed: seed)
      for head in 0..<s.heads {
        let behind = keys.buffer[head * headStride + s.length * keyLength..<(head + 1) * headStride]
        #expect(behind.allSatisfy { $0 == -12345.5 })
      }

      // The products that make values are others' matter: the processor's here.
      let latents = Activation(
        base: rows.base, rowCount: s.length, columnCount: s.latent, stride: stride)
      let made = try space.take(rows: s.length, columns: s.heads * s.value)
      try compute.multiply(
        values.enumerated().map { head, weights in
          MatrixProduct(
            latents, weights, into: made.columns(head * s.value..<(head + 1) * s.value))
        })
      let out = KernelMemory(count: s.tokens * s.heads * s.value)
      var attention = gpu_attention_arguments()
      attention.queries = UInt64(UInt(bitPattern: queries.base))
      attention.query_stride = UInt32(queries.stride)
      (attention.out, attention.out_stride) = (out.address, UInt32(s.heads * s.value))
      (attention.keys, attention.key_stride) = (keys.address, UInt32(4 * keyLength))
      attention.key_head_stride = UInt64(4 * headStride)
      attention.values = UInt64(UInt(bitPattern: made.base))
      (attention.value_stride, attention.value_head_stride) = (
        UInt32(4 * made.stride), UInt64(4 * s.value)
      )
      (attention.rows, attention.heads, attention.group) = (UInt32(s.tokens), UInt32(s.heads), 1)
      (attention.key_length, attention.value_length) = (UInt32(keyLength), UInt32(s.value))
      (attention.position, attention.scale) = (UInt32(s.length - s.tokens), 0.3)
      try emulate(
        "attention", grid: (s.tokens, s.heads, 1), block: 128,
        sharedByteCount: Int(
          gpu_attention_shared(attention.key_length, attention.value_length)), attention,
        seed: seed)
      #expect(bits(out.buffer) == bits((0..<s.tokens).flatMap { expected.values(ofRow: $0) }))
    }
  }
}
