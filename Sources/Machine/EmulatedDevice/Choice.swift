/// Draws which stream goes on, so that streams run far ahead of each other, as they may.
struct Choice {
  private var state: UInt64
  /// How likely each stream is to be chosen, for a while.
  private var favour: [Double] = []
  /// Operations that a call of the host lets through, for a while.
  private var pace = Pace.some

  private enum Pace: CaseIterable { case none, some, many }

  init(seed: UInt64) {
    state = seed
    pace = Pace.allCases[Int(next() % 3)]
  }

  /// splitmix64.
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  mutating func fraction() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// One of some streams.
  mutating func pick(among streams: [Int]) -> Int {
    let most = (streams.max() ?? 0) + 1
    if favour.count < most || fraction() < 0.08 {
      favour = (0..<max(most, favour.count)).map { _ in fraction() < 0.5 ? 1 : 0.02 }
    }
    var left = fraction() * streams.reduce(0) { $0 + favour[$1] }
    for stream in streams {
      left -= favour[stream]
      if left < 0 { return stream }
    }
    return streams[streams.count - 1]
  }

  /// How many operations run within a call of the host that does not wait.
  mutating func operationsOfCall() -> Int {
    if fraction() < 0.05 { pace = Pace.allCases[Int(next() % 3)] }
    return switch pace {
    case .none: fraction() < 0.03 ? 1 : 0
    case .some: Int(next() % 3)
    case .many: Int(next() % 8)
    }
  }
}
