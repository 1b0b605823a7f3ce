/// One kind of work: `pp512` is a prompt of 512 tokens, `tg64` are 64 tokens one by one, as llama-bench
/// names them.
struct BenchmarkTest: Equatable {
  let isPrompt: Bool
  let tokenCount: Int

  var name: String { (isPrompt ? "pp" : "tg") + "\(tokenCount)" }

  init(isPrompt: Bool, tokenCount: Int) {
    self.isPrompt = isPrompt
    self.tokenCount = tokenCount
  }

  /// A test by its name; nil for anything else.
  init?(_ name: some StringProtocol) {
    guard let count = Int(name.dropFirst(2)), count > 0 else { return nil }
    switch name.prefix(2) {
    case "pp": self.init(isPrompt: true, tokenCount: count)
    case "tg": self.init(isPrompt: false, tokenCount: count)
    default: return nil
    }
  }
}

/// The speed of one kind of work, measured several times.
struct Measurement {
  let test: BenchmarkTest
  /// Seconds of each repetition.
  var seconds: [Double] = []
  /// A digest of the last scores, equal wherever the same was computed.
  var checksum: UInt64 = 0
  /// Bytes of weights and of cached keys and values that one run reads.
  var byteCount = 0
  /// Multiplications and additions of products that one run does.
  var operationCount = 0

  init(_ test: BenchmarkTest) { self.test = test }

  /// Tokens per second of each repetition, slowest first.
  private var speeds: [Double] { seconds.map { Double(test.tokenCount) / max($0, 1e-9) }.sorted() }

  var slowest: Double { speeds.first ?? 0 }
  var fastest: Double { speeds.last ?? 0 }

  /// Tokens per second.
  var median: Double { Self.median(of: speeds) }

  /// Weights and cache read per second, in 10⁹ bytes.
  var readGBps: Double { Double(byteCount) * median / Double(test.tokenCount) / 1e9 }

  /// Products' operations per second, in 10⁹.
  var productGOPS: Double { Double(operationCount) * median / Double(test.tokenCount) / 1e9 }

  /// The middle one, or the mean of the two in the middle; 0 for none.
  static func median(of numbers: [Double]) -> Double {
    let sorted = numbers.sorted()
    guard !sorted.isEmpty else { return 0 }
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
}
