import Experts
import TestSupport
import Testing

@Suite struct CostFitTests {
  private static let sizes: [(bytes: Double, parameters: Double)] = [
    (5.2e6, 8.65e6), (6.3e6, 8.65e6), (2.9e6, 4.7e6),
  ]

  /// What a lane with a known time would measure, with relative noise.
  private func points(
    tokens: [Int], noise: Double, seed: UInt64, _ time: (CostPoint) -> Double
  ) -> [CostPoint] {
    var random = SeededGenerator(seed: seed)
    var points: [CostPoint] = []
    for size in Self.sizes {
      for experts in [1, 2, 6] {
        for tokens in tokens {
          for cpuIsReading in [false, true] {
            var point = CostPoint(
              experts: experts, bytes: size.bytes, parameters: size.parameters, tokens: tokens,
              microseconds: 1, cpuIsReading: cpuIsReading)
            point.microseconds =
              time(point) * (1 + Double.random(in: -noise...noise, using: &random))
            points.append(point)
          }
        }
      }
    }
    return points
  }

  private func isClose(_ left: Double, _ right: Double, _ tolerance: Double) -> Bool {
    abs(left - right) <= tolerance * abs(right)
  }

  private func cpuTime(_ point: CostPoint) -> Double {
    25 + Double(point.experts)
      * (point.bytes / 30e3 + point.parameters * Double(point.tokens) / 0.8e6)
  }

  @Test func `exact measurements give back the CPU's costs`() throws {
    let fit = try CostModel.CPU.fit(points(tokens: [1, 4, 16], noise: 0, seed: 1, cpuTime))
    #expect(isClose(fit.part.firstMicroseconds, 25, 1e-6))
    #expect(isClose(fit.part.bytesPerMicrosecond, 30e3, 1e-6))
    #expect(isClose(fit.part.parameterTokensPerMicrosecond, 0.8e6, 1e-6))
    #expect(fit.maximumRelativeError < 1e-6 && fit.invisible == [])
  }

  private func gpuTime(_ point: CostPoint, knee: Int) -> Double {
    let beyond = Double(max(0, point.tokens - knee))
    return 9 + Double(point.experts)
      * (4 + point.bytes / 600e3 + point.parameters * beyond / 20e6)
  }

  @Test(arguments: [0, 16, 37, 100, 512])
  func `exact measurements give back the GPU's costs and its knee`(knee: Int) throws {
    let fit = try CostModel.GPU.fit(
      points(tokens: [1, 16, 32, 64, 128, 512], noise: 0, seed: 1) { gpuTime($0, knee: knee) })
    #expect(fit.part.kneeTokens == knee)
    #expect(isClose(fit.part.launchMicroseconds, 9, 1e-5))
    #expect(isClose(fit.part.expertMicroseconds, 4, 1e-5))
    #expect(isClose(fit.part.bytesPerMicrosecond, 600e3, 1e-5))
    if knee < 512 {
      #expect(isClose(fit.part.parameterTokensPerMicrosecond, 20e6, 1e-5))
    } else {
      #expect(fit.part.parameterTokensPerMicrosecond == CostModel.unmeasurablyFast)
      #expect(fit.invisible == ["parameterTokensPerMicrosecond"])
    }
    #expect(fit.maximumRelativeError < 1e-5)
  }

  private func linkTime(_ point: CostPoint) -> Double {
    Double(point.experts) * (12 + point.bytes / (point.cpuIsReading ? 14e3 : 22e3))
  }

  @Test func `exact measurements give back the link's costs`() throws {
    let fit = try CostModel.Link.fit(points(tokens: [1], noise: 0, seed: 1, linkTime))
    #expect(isClose(fit.part.latencyMicroseconds, 12, 1e-6))
    #expect(isClose(fit.part.bytesPerMicrosecond, 22e3, 1e-6))
    #expect(isClose(fit.part.overlappedBytesPerMicrosecond, 14e3, 1e-6))
  }

  @Test func `a link that seems faster beside a busy CPU counts as equally fast`() throws {
    let fit = try CostModel.Link.fit(
      points(tokens: [1], noise: 0, seed: 1) { 12 + $0.bytes / ($0.cpuIsReading ? 23e3 : 22e3) })
    #expect(fit.part.overlappedBytesPerMicrosecond == fit.part.bytesPerMicrosecond)
    #expect(fit.invisible.contains("slowdown while the CPU reads"))
  }

  @Test func `noisy measurements are described as well as the noise allows`() throws {
    for seed in 1...6 as ClosedRange<UInt64> {
      let cpu = try CostModel.CPU.fit(points(tokens: [1, 4, 16], noise: 0.05, seed: seed, cpuTime))
      #expect(isClose(cpu.part.bytesPerMicrosecond, 30e3, 0.15), "seed \(seed)")
      #expect(cpu.rootMeanSquareRelativeError < 0.04, "seed \(seed)")
      #expect(cpu.maximumRelativeError < 0.12, "seed \(seed)")
      let gpu = try CostModel.GPU.fit(
        points(tokens: [1, 16, 64, 256], noise: 0.05, seed: seed) { gpuTime($0, knee: 64) })
      #expect(gpu.rootMeanSquareRelativeError < 0.04, "seed \(seed)")
      #expect(isClose(gpu.part.parameterTokensPerMicrosecond, 20e6, 0.2), "seed \(seed)")
      for value in [
        gpu.part.launchMicroseconds, gpu.part.expertMicroseconds, gpu.part.bytesPerMicrosecond,
        cpu.part.firstMicroseconds,
      ] {
        #expect(value >= 0, "seed \(seed)")
      }
    }
  }

  @Test func `a cost that cannot be seen is named instead of going below nothing`() throws {
    // Time that falls with the number of tokens: no rate explains it.
    let fit = try CostModel.CPU.fit(
      points(tokens: [1, 4, 16], noise: 0, seed: 1) { $0.bytes / 30e3 / Double($0.tokens) })
    #expect(fit.part.parameterTokensPerMicrosecond == CostModel.unmeasurablyFast)
    #expect(fit.invisible.contains("parameterTokensPerMicrosecond"))
    #expect(fit.maximumRelativeError > 0.5)
  }

  @Test func `too few or undetermined points are refused`() {
    let sound = points(tokens: [1, 4, 16], noise: 0, seed: 1, cpuTime)
    #expect(throws: CostFitError.tooFewPoints(found: 3, needed: 4)) {
      try CostModel.CPU.fit(Array(sound.prefix(3)))
    }
    #expect(throws: CostFitError.tooFewPoints(found: 0, needed: 4)) { try CostModel.CPU.fit([]) }
    #expect(throws: CostFitError.self) { try CostModel.GPU.fit([]) }
    #expect(throws: CostFitError.self) { try CostModel.Link.fit([]) }
    // One expert at a time: the first expert's extra and the reading cannot be told apart.
    let single = sound.filter { $0.experts == 1 && $0.bytes == 5.2e6 }
    #expect(throws: CostFitError.self) { try CostModel.CPU.fit(single) }
    #expect(throws: CostFitError.self) {
      try CostModel.GPU.fit(sound.filter { $0.tokens == 1 && $0.bytes == 5.2e6 })
    }
    #expect(throws: CostFitError.self) {
      try CostModel.Link.fit(sound.filter { !$0.cpuIsReading })
    }
  }

  @Test func `impossible measurements are refused with their place`() {
    let sound = points(tokens: [1, 4, 16], noise: 0, seed: 1, cpuTime)
    let damages: [@Sendable (inout CostPoint) -> Void] = [
      { $0.microseconds = 0 }, { $0.microseconds = -1 }, { $0.microseconds = .nan },
      { $0.microseconds = .infinity }, { $0.bytes = 0 }, { $0.bytes = .nan },
      { $0.parameters = -1 }, { $0.tokens = 0 }, { $0.experts = 0 }, { $0.experts = .max },
    ]
    for (number, damage) in damages.enumerated() {
      var points = sound
      damage(&points[7])
      do {
        _ = try CostModel.CPU.fit(points)
        Issue.record("damage \(number) was accepted")
      } catch {
        #expect("\(error)".hasPrefix("measured point 7: "), "damage \(number): \(error)")
      }
    }
  }
}
