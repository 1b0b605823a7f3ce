import Inference
import RandomNumbers

/// The speed of one kind of work, measured several times.
struct Measurement {
  /// `pp512` for a prompt of 512 tokens, `tg64` for 64 tokens one by one, as llama-bench names them.
  let name: String
  let tokenCount: Int
  /// Seconds of each repetition.
  var seconds: [Double] = []
  /// A digest of the last scores, equal wherever the same was computed.
  var checksum: UInt64 = 0

  /// Tokens per second of each repetition, slowest first.
  private var speeds: [Double] { seconds.map { Double(tokenCount) / max($0, 1e-9) }.sorted() }

  var slowest: Double { speeds.first ?? 0 }
  var fastest: Double { speeds.last ?? 0 }

  var median: Double {
    let speeds = speeds
    guard !speeds.isEmpty else { return 0 }
    let middle = speeds.count / 2
    return speeds.count % 2 == 1 ? speeds[middle] : (speeds[middle - 1] + speeds[middle]) / 2
  }
}

/// Runs the work of `bench`.
struct BenchmarkRun {
  let runner: SequenceRunner
  let vocabularySize: Int
  let isCancelled: () -> Bool

  /// The same tokens in every run: from random numbers of a fixed seed.
  private func tokens(_ count: Int) -> [Int] {
    var random = RandomSource(seed: 1)
    return (0..<count).map { _ in Int(random.next() % UInt64(max(1, vocabularySize))) }
  }

  /// Reads a prompt at once.
  func prefill(_ count: Int, into measurement: inout Measurement) throws {
    let tokens = tokens(count)
    try time(into: &measurement) { try runner.accept(tokens, isCancelled: isCancelled) }
  }

  /// Takes tokens one by one, as an answer does.
  func decode(_ count: Int, into measurement: inout Measurement) throws {
    let tokens = tokens(count)
    try time(into: &measurement) {
      var logits: [Float] = []
      for token in tokens { logits = try runner.accept([token], isCancelled: isCancelled) }
      return logits
    }
  }

  private func time(into measurement: inout Measurement, _ work: () throws -> [Float]) throws {
    runner.rewind(to: 0)
    let clock = ContinuousClock()
    let start = clock.now
    let logits = try work()
    measurement.seconds.append(start.duration(to: clock.now).seconds)
    measurement.checksum = Self.digest(logits)
  }

  /// The FNV-1a hash of the scores' bits.
  static func digest(_ logits: [Float]) -> UInt64 {
    logits.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1.bitPattern)) &* 0x100_0000_01B3 }
  }
}
