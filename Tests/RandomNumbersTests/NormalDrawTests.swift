import Foundation
import RandomNumbers
import Testing

@Suite struct `Normal draws` {
  @Test func `are distributed as the bell says`() {
    var random = RandomSource(seed: 3)
    let count = 150_000
    // The share below each point against the error function of the C library.
    let points = stride(from: -4.0, through: 4.0, by: 0.25).map { $0 }
    var below = Array(repeating: 0, count: points.count)
    var (sum, squares, fourths, products) = (0.0, 0.0, 0.0, 0.0)
    var last = 0.0
    for _ in 0..<count {
      let draw = random.nextNormal()
      for (index, point) in points.enumerated() where draw < point { below[index] += 1 }
      sum += draw
      squares += draw * draw
      fourths += draw * draw * draw * draw
      products += draw * last
      last = draw
    }
    for (index, point) in points.enumerated() {
      let expected = 0.5 * erfc(-point / 2.0.squareRoot())
      let deviation = (expected * (1 - expected) / Double(count)).squareRoot()
      let share = Double(below[index]) / Double(count)
      #expect(abs(share - expected) < 4.5 * deviation, "below \(point)")
    }
    let n = Double(count)
    #expect(abs(sum / n) < 0.012 && abs(squares / n - 1) < 0.016)
    #expect(abs(fourths / n - 3) < 0.1 && abs(products / n) < 0.012)
  }

  @Test func `are the same for the same seed, everywhere`() {
    var random = RandomSource(seed: 1)
    let bits = (0..<4).map { _ in random.nextNormal().bitPattern }
    #expect(
      bits == [
        4_603_532_471_326_399_734, 4_585_648_463_995_254_123, 4_599_770_492_828_110_443,
        13_824_488_578_291_312_551,
      ])
  }
}

@Suite struct `Functions without the C library` {
  @Test func `the exponential has the bits of a careful one`() {
    var random = RandomSource(seed: 8)
    for _ in 0..<5000 {
      let x = -700 * random.nextUnit() * random.nextUnit() * random.nextUnit()
      #expect(abs(exponential(x) - exp(x)) <= 1e-15 * exp(x), "x = \(x)")
    }
    #expect(exponential(0) == 1)
    #expect(exponential(-1e300) == 0)
    #expect(exponential(-.infinity) == 0)
  }

  @Test func `the logarithm has the bits of a careful one`() {
    var random = RandomSource(seed: 9)
    for round in 0..<5000 {
      let x =
        round % 2 == 0
        ? 0.5 + random.nextUnit() : Double(bitPattern: random.next() & 0x7FEF_FFFF_FFFF_FFFF)
      let expected = log(x)
      #expect(abs(naturalLogarithm(x) - expected) <= 1e-15 * abs(expected), "x = \(x)")
    }
    #expect(naturalLogarithm(1) == 0)
    #expect(naturalLogarithm(0) == -.infinity)
    #expect(naturalLogarithm(-1).isNaN)
    #expect(naturalLogarithm(.infinity) == .infinity)
  }
}
