// What choosing a token takes, by settings: processor time and allocations per token.
//   swift run -c release --package-path Benchmarks SamplingBenchmark [vocabulary size]

import BenchmarkSupport
import CAllocationCount
import Glibc
import RandomNumbers
import Sampling

@main
struct SamplingBenchmark {
  /// Scores as models give them: a bell, several standard deviations of which make a good token.
  private let logits: [[Float]]
  private var random = RandomSource(seed: 1)
  private var report = Report()

  static func main() throws {
    let arguments = CommandLine.arguments.dropFirst()
    let numbers = arguments.compactMap { Int($0) }
    guard numbers.count == arguments.count, numbers.count <= 1, numbers.allSatisfy({ $0 > 3000 })
    else {
      print("usage: SamplingBenchmark [vocabulary size, above 3000]")
      exit(64)
    }
    var benchmark = SamplingBenchmark(vocabularySize: numbers.first ?? 151_936)
    benchmark.report.begin()
    try benchmark.measure()
    benchmark.report.end()
  }

  private init(vocabularySize: Int) {
    var random = RandomSource(seed: 2)
    logits = (0..<16).map { _ in
      (0..<vocabularySize).map { _ in Float(random.nextNormal() * 2.5) }
    }
  }

  private mutating func measure() throws {
    print("\n\(logits[0].count) tokens in the vocabulary")
    report.row("per token", ["µs", "allocations"], widths: [10, 14])
    try row("greedy", .greedy)
    try row("the defaults", SamplingSettings())
    try row("top-k 20", SamplingSettings(topK: 20, topP: 1, minP: 0))
    try row("top-k 40, typical-p 0.9", SamplingSettings(topP: 1, minP: 0, typicalP: 0.9))
    try row("no top-k: top-p 0.95", SamplingSettings(topK: 0, minP: 0))
    try row("no top-k: min-p 0.05", SamplingSettings(topK: 0, topP: 1))
    try row(
      "no top-k: typical-p 0.9", SamplingSettings(topK: 0, topP: 1, minP: 0, typicalP: 0.9))
    try row("no top-k: top-n-sigma 1", SamplingSettings(topK: 0, topP: 1, minP: 0, topNSigma: 1))
    try row("nothing left out", SamplingSettings(temperature: 1, topK: 0, topP: 1, minP: 0))
    let penalties = try RepetitionPenalties(repeat: 1.1)
    try row("greedy, repeat-penalty", SamplingSettings(temperature: 0, penalties: penalties))
    try row("the defaults, repeat-penalty", SamplingSettings(penalties: penalties))
    for length in [4096, 131_072] {
      let dry = try SamplingSettings(dry: DRYPenalty(multiplier: 0.8))
      try row(
        "DRY over \(length) tokens", dry,
        prompt: (0..<length).map { _ in Int(random.next() % 3000) })
      try row(
        "the same, a loop", dry,
        prompt: (0..<length).map { $0 % 7 })
    }
  }

  private func row(_ title: String, _ settings: SamplingSettings, prompt: [Int] = []) throws {
    var sampler = Sampler(settings, prompt: prompt)
    for logits in logits { _ = try sampler.next(logits) }
    var best = Double.infinity
    let before = allocation_count()
    for _ in 0..<10 {
      let start = Self.microseconds()
      for logits in logits { _ = try sampler.next(logits) }
      best = min(best, (Self.microseconds() - start) / Double(logits.count))
    }
    let allocations = Double(allocation_count() - before) / Double(10 * logits.count)
    report.row(title, [Report.fixed(best, 0), Report.fixed(allocations, 1)], widths: [10, 14])
  }

  /// The processor time of this program so far.
  private static func microseconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) * 1e6 + Double(time.tv_nsec) / 1e3
  }
}
