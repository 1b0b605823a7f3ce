/// The units that a number of a profile may be written in.
///
/// Inside the program every time is in microseconds, every amount in bytes and every rate per
/// microsecond; the files use what people write.
enum ProfileUnit {
  case bytes, bandwidth, time, multiplication, ratio, bytesPerWeight
  /// A whole number of some things, such as `layers`.
  case count(of: String)

  /// What each unit's number is multiplied with.
  var factors: [(name: String, factor: Double)] {
    switch self {
    case .bytes:
      [("MiB", 1_048_576), ("GiB", 1_073_741_824), ("MB", 1e6), ("GB", 1e9)]
    case .bandwidth: [("GB/s", 1000), ("TB/s", 1e6), ("MB/s", 1)]
    case .time: [("us", 1), ("ms", 1000)]
    // One multiply-accumulate is one parameter times one token; vendors count it as two operations.
    case .multiplication: [("GMAC/s", 1000), ("TMAC/s", 1e6), ("TFLOPS", 5e5)]
    case .ratio: [("ratio", 1), ("%", 0.01)]
    case .bytesPerWeight: [("B/weight", 1)]
    case .count(let things): [(things, 1)]
    }
  }
}
