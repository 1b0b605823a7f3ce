import Foundation
import Tensors
import TestSupport
import Testing

@testable import CPUCompute

@Suite struct AttentionTests {
  struct Case: Sendable, CustomStringConvertible {
    var heads = 4
    var cacheHeads = 2
    var keyLength = 16
    var valueLength: Int? = 16
    var cached = 40
    var tokens = 5
    var window: Int?
    var sinks = false
    var type = ElementType.f32
    var description: String {
      "\(heads)/\(cacheHeads) heads, \(keyLength)/\(valueLength ?? -1), \(cached)+\(tokens), \(type.name)"
    }
  }

  static let cases: [Case] = [
    Case(), Case(cached: 0, tokens: 1), Case(cached: 255, tokens: 2), Case(cached: 256, tokens: 1),
    Case(heads: 2, cached: 510, tokens: 4), Case(heads: 2, cached: 300, tokens: 5, window: 280),
    Case(heads: 2, cached: 530, tokens: 7, window: 9, sinks: true),
    Case(heads: 12, cacheHeads: 1, cached: 600, tokens: 1, sinks: true, type: .f16),
    Case(
      heads: 16, cacheHeads: 1, keyLength: 48, valueLength: nil, cached: 300, tokens: 1,
      type: .f16),
    Case(
      heads: 3, cacheHeads: 1, keyLength: 37, valueLength: 21, cached: 255, tokens: 3, type: .f16),
    Case(heads: 14, cacheHeads: 1, keyLength: 32, cached: 20, tokens: 5, type: .q8_0),
    Case(heads: 1, cacheHeads: 1, keyLength: 5, valueLength: 3, cached: 70, tokens: 3),
    Case(heads: 6, cacheHeads: 1, keyLength: 80, valueLength: nil, cached: 33, tokens: 4),
    Case(cached: 90, tokens: 40, window: 8), Case(cached: 3, tokens: 70, window: 33, sinks: true),
    Case(cached: 50, tokens: 3, sinks: true), Case(keyLength: 32, valueLength: 64, type: .f16),
    Case(keyLength: 32, valueLength: 32, type: .q8_0),
    Case(keyLength: 40, valueLength: 24, type: .q8_0),
    Case(heads: 6, cacheHeads: 1, keyLength: 80, valueLength: nil, type: .q8_0),
    Case(heads: 6, cacheHeads: 1, keyLength: 64, valueLength: nil, type: .q8_0),
    Case(heads: 6, cacheHeads: 1, keyLength: 64, valueLength: nil, type: .f16),
  ]

  @Test(arguments: cases)
  func `attention agrees with the formula for any thread count and cut`(_ c: Case) throws {
    var generator = SeededGenerator(seed: 77)
    let length = c.cached + c.tokens
    let valueLength = c.valueLength ?? c.keyLength - 16
    func numbers(_ count: Int) -> [Float] { (0..<count).map { _ in generator.nextFloat() * 2 } }
    let keys = numbers(length * c.cacheHeads * c.keyLength)
    let values = numbers(length * c.cacheHeads * valueLength)
    let queries = numbers(c.tokens * c.heads * c.keyLength)
    let sinks = c.sinks ? numbers(c.heads) : nil
    let shape = AttentionShape(
      headCount: c.heads, keyLength: c.keyLength, valueLength: valueLength, scale: 0.3,
      window: c.window)

    func attend(threads: Int, set: InstructionSet, cuts: [Int]) throws -> [Float] {
      let compute = try CPUBackend(threadCount: threads, instructionSet: set)
      let cachedKeys = try CacheRows(
        type: c.type, headCount: c.cacheHeads, length: c.keyLength, capacity: length)
      let cachedValues = try c.valueLength.map {
        try CacheRows(type: c.type, headCount: c.cacheHeads, length: $0, capacity: length)
      }
      compute.store(try activation(keys, rows: length), in: cachedKeys, from: 0)
      if let cachedValues {
        compute.store(try activation(values, rows: length), in: cachedValues, from: 0)
      }
      var found: [Float] = []
      for (start, end) in zip([0] + cuts, cuts + [c.tokens]) {
        let width = c.heads * c.keyLength
        let x = try activation(Array(queries[(start * width)..<(end * width)]), rows: end - start)
        let out = try ActivationBuffer(rowCount: end - start, columnCount: c.heads * valueLength)
        try compute.attend(
          x, keys: cachedKeys, values: cachedValues, position: c.cached + start, shape: shape,
          sinks: sinks.map(FloatVector.init), into: out.activation)
        for row in 0..<(end - start) { found += out.activation.values(ofRow: row) }
      }
      return found
    }

    let whole = try attend(threads: 1, set: .portable, cuts: [])
    for set in availableSets {
      #expect(try attend(threads: 1, set: set, cuts: []) == whole)
      #expect(try attend(threads: 3, set: set, cuts: c.tokens > 1 ? [1] : []) == whole)
    }
    let tolerance = c.type == .f32 ? 4e-6 : c.type == .f16 ? 4e-3 : 6e-2
    for token in 0..<c.tokens {
      for head in 0..<c.heads {
        let exact = formula(
          query: Array(queries[((token * c.heads + head) * c.keyLength)...].prefix(c.keyLength)),
          keys: keys, values: c.valueLength == nil ? nil : values, c, valueLength: valueLength,
          position: c.cached + token, head: head, sink: sinks?[head])
        for index in 0..<valueLength {
          let found = whole[(token * c.heads + head) * valueLength + index]
          #expect(abs(Double(found) - exact[index]) < tolerance)
        }
      }
    }
  }

  private func activation(_ numbers: [Float], rows: Int) throws -> Activation {
    let buffer = try ActivationBuffer(rowCount: rows, columnCount: numbers.count / rows)
    for (index, number) in numbers.enumerated() { buffer.activation.base[index] = number }
    kept.append(buffer)
    return buffer.activation
  }

  /// Buffers live as long as the test.
  private let kept = Kept()

  /// softmax(scale q·k) v, straight from the definition, in double precision.
  private func formula(
    query: [Float], keys: [Float], values: [Float]?, _ c: Case, valueLength: Int, position: Int,
    head: Int, sink: Float?
  ) -> [Double] {
    let cacheHead = head / (c.heads / c.cacheHeads)
    let first = c.window.map { max(0, position - $0 + 1) } ?? 0
    func key(_ p: Int) -> ArraySlice<Float> {
      keys[((p * c.cacheHeads + cacheHead) * c.keyLength)...].prefix(c.keyLength)
    }
    func value(_ p: Int) -> ArraySlice<Float> {
      values?[((p * c.cacheHeads + cacheHead) * valueLength)...].prefix(valueLength)
        ?? key(p).prefix(valueLength)
    }
    let weights = (first...position).map { p in
      exp(0.3 * zip(query, key(p)).reduce(0.0) { $0 + Double($1.0) * Double($1.1) })
    }
    let sum = weights.reduce(0, +) + (sink.map { exp(Double($0)) } ?? 0)
    var out = [Double](repeating: 0, count: valueLength)
    for (weight, p) in zip(weights, first...position) {
      for (index, number) in value(p).enumerated() { out[index] += weight / sum * Double(number) }
    }
    return out
  }
}

/// Keeps buffers alive.
private final class Kept: @unchecked Sendable {
  // Safety: one test uses it, on one thread.
  private var buffers: [ActivationBuffer] = []
  func append(_ buffer: ActivationBuffer) { buffers.append(buffer) }
}
