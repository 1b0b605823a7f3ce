import Experts
import RoutingTraces

/// What is routed in one run, and what was known before it.
public struct SimulatedSequence: Sendable {
  /// One prefill step with all tokens of the prompt, then decode steps.
  public var events: [RoutingEvent]
  /// How often each expert was used in other sequences: [layers, experts].
  public var popularity: [Double]

  public init(events: [RoutingEvent], popularity: [Double]) {
    self.events = events
    self.popularity = popularity
  }

  /// Sequences that popularity is counted over, and the tokens of each.
  private static let earlierSequences = 8
  private static let earlierTokens = 64

  /// A made-up sequence, and the popularity of experts in other made-up sequences of the same model.
  ///
  /// - Throws: `SyntheticRoutingError` where the numbers are impossible.
  public init(
    _ header: TraceHeader, behavior: RoutingBehavior, promptTokens: Int, decodeTokens: Int,
    seed: UInt64
  ) throws(SyntheticRoutingError) {
    var source = try SyntheticRouting(
      header: header, behavior: behavior,
      amount: .init(promptTokens: promptTokens, decodeTokens: decodeTokens), seed: seed)
    events = []
    while let event = source.next() { events.append(event) }
    var amount = SyntheticRouting.Amount(
      sequences: 1 + Self.earlierSequences, promptTokens: Self.earlierTokens, decodeTokens: 0)
    amount.hasScores = false
    amount.hasPredictions = false
    // The same seed has the same model-wide popularity; its first sequence is the one that is played.
    var earlier = try SyntheticRouting(
      header: header, behavior: behavior, amount: amount, seed: seed)
    popularity = Array(repeating: 0, count: header.layers * header.experts)
    while let event = earlier.next() {
      guard event.step > 0 else { continue }
      for index in event.ids { popularity[event.layer * header.experts + index] += 1 }
    }
  }
}
