/// How often each token stands among the last ones.
struct RecentTokens: Sendable {
  /// By token number; only tokens that are there.
  private(set) var counts: [Int32: Int] = [:]
  private let limit: Int
  /// The last `limit` tokens, the oldest at `oldest` once it is full; empty without a limit.
  private var ring: [Int32] = []
  private var oldest = 0

  /// - Parameter limit: how many of the last tokens count; −1 for all.
  init(limit: Int) { self.limit = limit }

  mutating func accept(_ token: Int) {
    let token = Int32(truncatingIfNeeded: token)
    counts[token, default: 0] += 1
    guard limit >= 0 else { return }
    if ring.count < limit {
      ring.append(token)
      return
    }
    let leaving = ring[oldest]
    ring[oldest] = token
    oldest = oldest + 1 == limit ? 0 : oldest + 1
    if let count = counts[leaving] { counts[leaving] = count > 1 ? count - 1 : nil }
  }
}
