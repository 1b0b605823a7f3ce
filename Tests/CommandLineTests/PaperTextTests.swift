import ExpertScheduling
@testable import ExpertSimulation
import Testing

@testable import hybrimoe

@Suite struct `The words about the paper's evaluation` {
  /// One cell in which the paper's rule and ours are so much faster than kTransformers.
  private func summary(paper: Double, ours: Double) -> PaperSummary {
    PaperSummary(
      [(SchedulerName.hybrimoe, ours), (.hybrimoePaper, paper), (.ktransformers, 1)].flatMap {
        name, speedUp in
        [
          PaperEvaluation.Row(
            model: "m", cacheRatio: 0.25, phase: .prefill, promptTokens: 32, scheduler: name,
            milliseconds: 100 / speedUp, boundMilliseconds: 40),
          PaperEvaluation.Row(
            model: "m", cacheRatio: 0.25, phase: .decode, promptTokens: 32, scheduler: name,
            milliseconds: 100 / speedUp, boundMilliseconds: 40),
        ]
      })
  }

  @Test func `met aims are counted, and nothing is said of misses`() {
    let aims = PaperAims(summary(paper: 1.5, ours: 1.8))
    #expect(aims.aims.count == 6 && aims.aims.allSatisfy(\.isMet))
    #expect(aims.text.hasPrefix("All 6 aims are met.") && !aims.text.contains("MISSED"))
  }

  @Test func `a missed aim is named, with what would have to change`() {
    let aims = PaperAims(summary(paper: 1.0, ours: 0.98))
    // Neither published speed-up, no gain in either phase, slower by two per cent in both.
    #expect(aims.aims.allSatisfy { !$0.isMet })
    let text = aims.text
    #expect(text.hasPrefix("0 of 6 aims are met, 6 missed:"))
    #expect(text.contains("MISSED") && text.contains("--fit"))
    #expect(text.contains("-2.0 %") && text.contains("the bound allows"))
    let ours = PaperAims(summary(paper: 1.5, ours: 1.4)).text
    #expect(ours.hasPrefix("2 of 6 aims are met") && !ours.contains("--fit"))
    for line in text.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
  }
}
