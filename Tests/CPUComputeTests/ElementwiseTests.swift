import CKernels
import Foundation
import Tensors
import TestSupport
import Testing

@testable import CPUCompute

@Suite struct ElementwiseTests {
  /// Runs an operation on every instruction set, expects the same bits, and gives the result.
  private func everywhere(
    _ x: [Float], _ body: (ck_kernels, inout [Float]) -> Void
  ) throws -> [Float] {
    var results: [[Float]] = []
    for set in availableSets {
      var copy = x
      body(try #require(set.kernels), &copy)
      results.append(copy)
    }
    for result in results {
      #expect(result.map(\.bitPattern) == results[0].map(\.bitPattern))
    }
    return results[0]
  }

  @Test func `the sigmoid is exact to a few units in the last place`() throws {
    var x = stride(from: Float(-110), through: 110, by: 0.037).map { $0 }
    x += [0, -0.0, 1e-30, -1e-30, 87.3, -87.3, 88.7, -88.7, .infinity, -.infinity]
    let y = try everywhere(x) { kernels, y in kernels.sigmoid(&y, y.count) }
    for (input, output) in zip(x, y) {
      let exact = 1 / (1 + exp(-Double(input)))
      #expect(abs(Double(output) - exact) <= max(exact * 5e-7, 1e-37), "σ(\(input))")
    }
  }

  @Test func `NaN stays NaN and poisons nothing beside it`() throws {
    let x: [Float] = [1, .nan, -1, 0, .infinity]
    let y = try everywhere(x) { kernels, y in
      kernels.sigmoid(&y, y.count)
      for index in y.indices where y[index].isNaN { y[index] = .nan }
    }
    #expect(y[1].isNaN && !y[0].isNaN && !y[2].isNaN && y[4] == 1)
  }

  @Test(arguments: [1, 2, 15, 16, 17, 64, 129])
  func `a softmax sums to one and keeps ratios`(_ count: Int) throws {
    var generator = SeededGenerator(seed: UInt64(count))
    let x = (0..<count).map { _ in generator.nextFloat() * 30 }
    let y = try everywhere(x) { kernels, y in kernels.softmax(&y, y.count) }
    let largest = Double(x.max() ?? 0)
    let sum = x.reduce(0.0) { $0 + exp(Double($1) - largest) }
    for (input, output) in zip(x, y) {
      let exact = exp(Double(input) - largest) / sum
      #expect(abs(Double(output) - exact) <= exact * 2e-6 + 1e-30)
    }
  }

  @Test(arguments: [1, 16, 31, 200])
  func `the norm divides by the root mean square`(_ count: Int) throws {
    var generator = SeededGenerator(seed: UInt64(count))
    let x = (0..<count).map { _ in generator.nextFloat() * 5 }
    let weight = (0..<count).map { _ in generator.nextFloat() }
    let y = try everywhere(x) { kernels, y in
      kernels.rms_norm(x, weight, 1e-5, &y, count)
    }
    let mean = x.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(count)
    for index in 0..<count {
      let exact = Double(x[index]) / (mean + 1e-5).squareRoot() * Double(weight[index])
      #expect(abs(Double(y[index]) - exact) <= abs(exact) * 1e-6 + 1e-30)
    }
  }

  @Test(arguments: [1, 16, 33])
  func `the gated activations agree with their formulas`(_ count: Int) throws {
    var generator = SeededGenerator(seed: UInt64(count) + 1)
    let gate = (0..<count).map { _ in generator.nextFloat() * 12 }
    let up = (0..<count).map { _ in generator.nextFloat() * 12 }
    let silu = try everywhere(gate) { kernels, y in kernels.silu_multiply(&y, up, count) }
    let clamped = try everywhere(gate) { kernels, y in
      kernels.clamped_swiglu(&y, up, 1.702, 7, count)
    }
    for index in 0..<count {
      let (g, u) = (Double(gate[index]), Double(up[index]))
      #expect(abs(Double(silu[index]) - g / (1 + exp(-g)) * u) < 1e-4)
      let (a, b) = (min(g, 7), max(-7, min(u, 7)))
      #expect(abs(Double(clamped[index]) - a / (1 + exp(-1.702 * a)) * (b + 1)) < 1e-4)
    }
  }

  @Test(arguments: [true, false])
  func `a rotation keeps the length of every pair`(_ halves: Bool) throws {
    var generator = SeededGenerator(seed: 3)
    let pairs = 21  // a whole vector and some
    let x = (0..<(2 * pairs)).map { _ in generator.nextFloat() }
    let angles = (0..<pairs).map { Double($0) * 0.7 }
    let y = try everywhere(x) { kernels, y in
      kernels.rotate(
        &y, angles.map { Float(cos($0)) }, angles.map { Float(sin($0)) }, pairs, halves ? 1 : 0)
    }
    for pair in 0..<pairs {
      let (i, j) = halves ? (pair, pairs + pair) : (2 * pair, 2 * pair + 1)
      let (a, b) = (Double(x[i]), Double(x[j]))
      #expect(abs(Double(y[i]) - (a * cos(angles[pair]) - b * sin(angles[pair]))) < 1e-6)
      #expect(abs(Double(y[j]) - (a * sin(angles[pair]) + b * cos(angles[pair]))) < 1e-6)
    }
  }

  @Test func `a half float that is stored reads back as the nearest one`() throws {
    var x: [Float] = [0, -0.0, 1, -1, 65504, 65519, 65520, 1e9, -1e9, 6e-8, 3e-8, 2.9e-8, 1e-10]
    x += [6.1e-5, 6.103515625e-5, 1.0004883, 1.00048828125, 1.0014648, .infinity, -.infinity]
    var generator = SeededGenerator(seed: 2)
    x += (0..<200).map { _ in
      generator.nextFloat()
        * Float(sign: .plus, exponent: Int.random(in: -20...14, using: &generator), significand: 1)
    }
    for set in availableSets {
      let kernels = try #require(set.kernels)
      var stored = [UInt16](repeating: 0, count: x.count)
      #expect(kernels.store_row(ElementType.f16.rawValue, x, &stored, x.count) == 0)
      #expect(stored == x.map { Float16($0).bitPattern })
    }
  }

  @Test func `a Q8_0 row is stored as the reference quantises it`() throws {
    var generator = SeededGenerator(seed: 8)
    let x = (0..<96).map { $0 < 32 ? 0 : generator.nextFloat() * 4 }
    let expected = try ReferenceQuantization.quantize(x, type: .q8_0)
    for set in availableSets {
      let kernels = try #require(set.kernels)
      var stored = [UInt8](repeating: 0, count: expected.count)
      #expect(kernels.store_row(ElementType.q8_0.rawValue, x, &stored, x.count) == 0)
      #expect(stored == expected)
    }
  }
}
