/// When and how often the experts of one cache were activated, resident or not.
///
/// Shared by all rules: recency breaks their ties, counts and recency are all that the oldest rules
/// know. Experts are numbered within the cache: the index in a layer's cache, `layer × experts +
/// index` in a cache over all layers.
public struct UseHistory: Sendable {
  /// The value given last; 0 before the first.
  public private(set) var clock = 0
  /// The clock's value at each expert's latest activation; 0 for never.
  public private(set) var recency: [Int]
  /// Events that activated the expert.
  public private(set) var counts: [Int]

  public init(experts: Int) {
    recency = Array(repeating: 0, count: experts)
    counts = recency
  }

  /// Gives each activated expert, in order of first appearance, the next value of the clock, and
  /// counts it.
  public mutating func observe(_ event: LayerActivation, base: Int) {
    for index in event.activated {
      clock += 1
      recency[base + index] = clock
      counts[base + index] += 1
    }
  }
}
