import Foundation
import Tensors
import TestSupport
import Testing

@testable import CPUCompute

@Suite struct LatentAttentionTests {
  private let heads = 3
  private let latent = 32
  private let plain = 13
  private let rotary = 6
  private let value = 20
  /// Crosses the border of a block.
  private let length = 261
  private let tokens = 9

  /// Projections and cached rows of random numbers.
  private struct World {
    /// [heads, latent, plain]
    var keys: [Float]
    /// [heads, value, latent]
    var values: [Float]
    /// [positions, latent + rotary]
    var cache: [Float]
    /// [tokens, heads × (plain + rotary)]
    var queries: [Float]
  }

  private func world() -> World {
    var generator = SeededGenerator(seed: 5)
    func numbers(_ count: Int) -> [Float] { (0..<count).map { _ in generator.nextFloat() } }
    return World(
      keys: numbers(heads * latent * plain), values: numbers(heads * value * latent),
      cache: numbers(length * (latent + rotary)),
      queries: numbers(tokens * heads * (plain + rotary)))
  }

  private func fill(_ activation: Activation, _ numbers: ArraySlice<Float>) {
    for (index, number) in numbers.enumerated() {
      activation.row(index / activation.columnCount)[index % activation.columnCount] = number
    }
  }

  /// Runs the tokens in chunks that end at `cuts`.
  private func attend(
    _ world: World, type: ElementType = .f32, threads: Int = 1, set: InstructionSet = .portable,
    cuts: [Int] = [], isTransposed: Bool = true
  ) throws -> [Float] {
    let compute = try CPUBackend(threadCount: threads, instructionSet: set)
    let space = Workspace()
    let cached = try space.take(rows: length, columns: latent + rotary)
    fill(cached, world.cache[...])
    let rows = try CacheRows(
      type: type, headCount: 1, length: latent + rotary, capacity: length)
    compute.store(cached, in: rows, from: 0)
    let keys =
      isTransposed
      ? world.keys
      : (0..<heads * plain * latent).map {
        let (head, row, column) = ($0 / (plain * latent), $0 / latent % plain, $0 % latent)
        return world.keys[(head * latent + column) * plain + row]
      }
    var found: [Float] = []
    try keys.withUnsafeBytes { keyBytes in
      try world.values.withUnsafeBytes { valueBytes in
        func matrices(_ bytes: UnsafeRawBufferPointer, _ rows: Int, _ columns: Int) throws
          -> [WeightMatrix]
        {
          let base = try #require(bytes.baseAddress)
          let whole = try #require(
            WeightMatrix(base: base, type: .f32, rowCount: heads * rows, columnCount: columns))
          return (0..<heads).map { whole.rows($0 * rows..<($0 + 1) * rows) }
        }
        let expansion = LatentExpansion(
          keys: isTransposed
            ? .transposed(try matrices(keyBytes, latent, plain))
            : .direct(try matrices(keyBytes, plain, latent)),
          values: try matrices(valueBytes, value, latent), latentLength: latent,
          plainLength: plain, rotaryLength: rotary)
        let width = heads * (plain + rotary)
        for (start, end) in zip([0] + cuts, cuts + [tokens]) {
          let queries = try space.take(rows: end - start, columns: width)
          fill(queries, world.queries[start * width..<end * width])
          let out = try space.take(rows: end - start, columns: heads * value)
          try compute.attend(
            queries, latents: rows, expansion: expansion, position: length - tokens + start,
            shape: AttentionShape(
              headCount: heads, keyLength: plain + rotary, valueLength: value, scale: 0.3),
            into: out)
          for row in 0..<out.rowCount { found += out.values(ofRow: row) }
        }
      }
    }
    return found
  }

  @Test func `expanded latents agree with the formula`() throws {
    let world = world()
    let found = try attend(world)
    for token in 0..<tokens {
      for head in 0..<heads {
        let exact = formula(world, token: token, head: head)
        for index in 0..<value {
          let number = found[(token * heads + head) * value + index]
          #expect(abs(Double(number) - exact[index]) < 1e-5)
        }
      }
    }
  }

  @Test(arguments: [ElementType.f32, .f16, .q8_0])
  func `expanded latents have the same bits for any cut, thread count and instruction set`(
    _ type: ElementType
  ) throws {
    let world = world()
    let whole = try attend(world, type: type)
    for set in availableSets {
      #expect(try attend(world, type: type, set: set) == whole)
      #expect(try attend(world, type: type, threads: 3, set: set, cuts: [1, 4, 5]) == whole)
      #expect(try attend(world, type: type, threads: 2, set: set, isTransposed: false) == whole)
    }
  }

  /// One head of one token, straight from the definition, in double precision.
  private func formula(_ world: World, token: Int, head: Int) -> [Double] {
    let width = plain + rotary
    let query = world.queries[((token * heads + head) * width)...].prefix(width).map(Double.init)
    var weights: [Double] = []
    var values: [[Double]] = []
    for position in 0...(length - tokens + token) {
      let row = world.cache[(position * (latent + rotary))...].prefix(latent + rotary)
        .map(Double.init)
      var score = 0.0
      for column in 0..<plain {
        let key = (0..<latent).reduce(0.0) {
          $0 + row[$1] * Double(world.keys[(head * latent + $1) * plain + column])
        }
        score += query[column] * key
      }
      for column in 0..<rotary { score += query[plain + column] * row[latent + column] }
      weights.append(exp(0.3 * score))
      values.append(
        (0..<value).map { index in
          (0..<latent).reduce(0.0) {
            $0 + row[$1] * Double(world.values[(head * value + index) * latent + $1])
          }
        })
    }
    let sum = weights.reduce(0, +)
    return (0..<value).map { index in
      zip(weights, values).reduce(0.0) { $0 + $1.0 / sum * $1.1[index] }
    }
  }
}
