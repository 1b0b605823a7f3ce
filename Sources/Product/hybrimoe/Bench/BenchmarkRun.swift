import CPUCompute
import Inference
import RandomNumbers

/// Runs the work of `bench`.
struct BenchmarkRun {
  let runner: SequenceRunner
  let isCancelled: () -> Bool

  /// One run of a test.
  struct Outcome {
    let seconds: Double
    let checksum: UInt64
  }

  /// The same tokens in every run: from random numbers of a fixed seed.
  private func tokens(_ count: Int) -> [Int] {
    var random = RandomSource(seed: 1)
    let vocabularySize = runner.model.hyperparameters.vocabularySize
    return (0..<count).map { _ in Int(random.next() % UInt64(max(1, vocabularySize))) }
  }

  /// Runs a test once, from an empty context: a prompt at once, or tokens one by one, as an answer
  /// takes them.
  func run(_ test: BenchmarkTest) throws -> Outcome {
    let tokens = tokens(test.tokenCount)
    runner.rewind(to: 0)
    var logits: [Float] = []
    let profile = runner.compute.profile
    let clock = ContinuousClock()
    let start = clock.now
    profile?.begin()
    if test.isPrompt {
      logits = try runner.accept(tokens, isCancelled: isCancelled)
    } else {
      for token in tokens {
        logits = try runner.accept([token], phase: .decode, isCancelled: isCancelled)
      }
    }
    profile?.mark(.other)
    return Outcome(
      seconds: start.duration(to: clock.now).seconds, checksum: Self.digest(logits))
  }

  /// Runs all tests in turn, again and again, so that what the machine does meanwhile meets all of
  /// them alike; the ceilings are measured in every round too.
  ///
  /// Two rounds before pack the weights, warm caches up and count the work; their times do not count.
  /// - Parameter profiles: one for each test; it sees the rounds that count.
  func rounds(
    of tests: [BenchmarkTest], repetitions: Int, meter: CeilingMeter, profiles: [StepProfile]?
  ) throws -> [Measurement] {
    var measurements = tests.map(Measurement.init)
    defer { runner.compute.profile = nil }
    for (index, test) in tests.enumerated() {
      // The first use of weights leaves them as they are, the second one packs them.
      _ = try run(test)
      let work = StepProfile()
      runner.compute.profile = work
      measurements[index].checksum = try run(test).checksum
      measurements[index].byteCount = work.total.byteCount
      measurements[index].operationCount = work.total.operationCount
    }
    for _ in 0..<repetitions {
      meter.measure()
      for (index, test) in tests.enumerated() {
        runner.compute.profile = profiles?[index]
        measurements[index].seconds.append(try run(test).seconds)
      }
    }
    return measurements
  }

  /// The FNV-1a hash of the scores' bits.
  static func digest(_ logits: [Float]) -> UInt64 {
    logits.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1.bitPattern)) &* 0x100_0000_01B3 }
  }
}
