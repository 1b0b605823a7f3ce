import Experts
import TestSupport
import Testing

@testable import RoutingTraces

@Suite struct `A summary of a trace` {
  @Test func `counts as one would by hand`() {
    let header = TraceHeader(
      model: "m", layers: 2, experts: 8, activated: 2, expertBytes: [1, 1])
    var summary = TraceSummary(header)
    let scores = [0.5, 0.1, 0.1, 0.1, 0.1, 0.05, 0.03, 0.02]
    for event in [
      RoutingEvent(
        step: 0, phase: .prefill, layer: 0, ids: [0, 1, 1, 2, 1, 0],
        predicted: [PredictedScores(layer: 1, scores: scores + scores + scores)]),
      RoutingEvent(step: 0, phase: .prefill, layer: 1, ids: [0, 1, 0, 7, 6, 7]),
      RoutingEvent(
        step: 4, phase: .decode, layer: 1, ids: [7, 0], weights: [1, 1], scores: scores),
    ] { summary.add(event) }
    summary.finish()
    #expect(summary.prefill.steps == 1 && summary.decode.steps == 1)
    #expect(summary.prefill.tokens == 3 && summary.decode.tokens == 1)
    #expect(summary.prefill.activatedPerEvent == 3.5)
    // Layer 0: 1 then 1 of 2; layer 1: 0 then 7; in decode 7 again.
    #expect(summary.prefill.repeatRate == 0.5)
    #expect(summary.decode.repeatRate == 0.5)
    // The best quarter is 2 of 8: 1 and 0 take 5 of 6 uses in layer 0; 0 and 7 take 4 of 6 in 1.
    #expect(summary.topQuarterShare(summary.prefill) == 9.0 / 12)
    // 0 and 1 (the first of equals) are foreseen: 2, 1 and 0 of each pair.
    #expect(summary.accuracies == [1: TraceSummary.Accuracy(found: 3, activated: 6)])
    #expect(summary.scoredRows == 1 && summary.disagreeingRows == 1)
    #expect(summary.weightedEvents == 1 && summary.incompleteSteps == 1)
  }

  @Test func `of nothing has no figures, and no division by zero`() {
    var summary = TraceSummary(TraceSamples.header)
    summary.finish()
    #expect(summary.prefill.repeatRate == 0 && summary.decode.activatedPerEvent == 0)
    #expect(summary.topQuarterShare(summary.decode) == 0 && summary.incompleteSteps == 0)
  }

  /// Sorting is the oracle; few different values make many ties.
  @Test(arguments: 0..<40) func `finds the highest scores, ties to the lowest number`(
    seed: UInt64
  ) {
    var random = SeededGenerator(seed: seed)
    let count = Int.random(in: 1...40, using: &random)
    let scores = (0..<count + 3).map { _ in Double(Int.random(in: 0...9, using: &random)) }
    let kept = Int.random(in: 1...count, using: &random)
    let row = scores[3...]
    let expected = (0..<count).sorted { (row[3 + $1], $0) < (row[3 + $0], $1) }.prefix(kept)
    #expect(TopK.indices(of: row, count: kept) == Array(expected), "seed \(seed)")
  }
}
