import ExpertPrefetching
import ExpertScheduling
import Experts
import TestSupport
import Testing

private func choice(_ layer: Int, _ index: Int, victim: Int? = nil) -> PrefetchChoice {
  PrefetchChoice(
    expert: ExpertID(layer: layer, index: index), distance: 1, probability: 0.5, expectedGain: 1,
    victim: victim.map { ExpertID(layer: layer, index: $0) })
}

private func layerCase(_ experts: [(Int, Residency)]) -> LayerCase {
  // The CPU takes 10 for an expert, the GPU 1, a copy 50: each hit saves 10.
  LayerCase(
    phase: .decode,
    experts: experts.map { ActivatedExpert(index: $0.0, load: 1, residency: $0.1) },
    costs: LayerCosts(cpuPerToken: 10, gpuPerExpert: 1, linkPerExpert: 50))
}

@Suite struct LedgerTests {
  @Test func `each prefetch ends as useful, late, redundant or cancelled`() {
    var ledger = PrefetchLedger(layers: 2, experts: 8)
    var source = HybridScheduler()
    for index in 0..<5 { ledger.issue(choice(1, index), byteCount: 100) }
    ledger.arrive(ExpertID(layer: 1, index: 0))
    ledger.arrive(ExpertID(layer: 1, index: 1))
    #expect(ledger.isPrefetched(ExpertID(layer: 1, index: 0)))
    ledger.layerStarts(
      1, actual: layerCase([(0, .resident), (2, .arriving(at: 5)), (7, .missing)]),
      source: &source)
    ledger.cancel(ExpertID(layer: 1, index: 3))
    ledger.arrive(ExpertID(layer: 1, index: 4))
    ledger.arrive(ExpertID(layer: 1, index: 2))
    let total = ledger.statistics.total
    #expect(total.issued == 5 && total.useful == 1 && total.late == 1)
    #expect(total.redundant == 2 && total.cancelled == 1)
    #expect(total.byteCount == 300)
    #expect(total.usefulPercent == 20)
    #expect(ledger.statistics.byLayer[1] == total && ledger.statistics.byLayer[0].issued == 0)
    #expect(!ledger.isPrefetched(ExpertID(layer: 1, index: 0)))
  }

  @Test func `the gain is the time that the layer would have taken more`() {
    var ledger = PrefetchLedger(layers: 1, experts: 8)
    var source = HybridScheduler()
    ledger.issue(choice(0, 0), byteCount: 1)
    ledger.arrive(ExpertID(layer: 0, index: 0))
    let gain = ledger.layerStarts(
      0, actual: layerCase([(0, .resident), (1, .missing)]), source: &source)
    #expect(gain == 10)
    #expect(ledger.statistics.measuredGain == 10)
    let next = ledger.layerStarts(0, actual: layerCase([(0, .resident)]), source: &source)
    #expect(next == nil)
  }

  @Test func `a displaced expert that is needed is charged, once`() {
    var ledger = PrefetchLedger(layers: 1, experts: 8)
    var source = HybridScheduler()
    ledger.issue(choice(0, 0, victim: 5), byteCount: 1)
    ledger.arrive(ExpertID(layer: 0, index: 0))
    let missing = layerCase([(5, .missing), (1, .missing)])
    let first = ledger.layerStarts(0, actual: missing, source: &source)
    let second = ledger.layerStarts(0, actual: missing, source: &source)
    #expect(first == -10)
    #expect(second == nil)
  }

  @Test func `what the link is held up is charged`() {
    var ledger = PrefetchLedger(layers: 1, experts: 8)
    var source = HybridScheduler()
    var actual = layerCase([(0, .missing), (1, .missing)])
    actual.costs = LayerCosts(cpuPerToken: 100, gpuPerExpert: 1, linkPerExpert: 5)
    actual.linkFree = 3
    let gain = ledger.layerStarts(0, actual: actual, heldUp: 3, source: &source)
    #expect(gain == -3)
  }

  @Test func `whatever happens, every issue has one end`() {
    for seed in 0..<200 as Range<UInt64> {
      var random = SeededGenerator(seed: seed)
      var ledger = PrefetchLedger(layers: 3, experts: 6)
      var source = HybridScheduler()
      var onItsWay: Set<ExpertID> = []
      for _ in 0..<300 {
        let expert = ExpertID(
          layer: Int.random(in: 0..<3, using: &random), index: Int.random(in: 0..<6, using: &random)
        )
        switch Int.random(in: 0..<4, using: &random) {
        case 0 where !onItsWay.contains(expert) && !ledger.isPrefetched(expert):
          ledger.issue(choice(expert.layer, expert.index), byteCount: 1)
          onItsWay.insert(expert)
        case 1 where onItsWay.remove(expert) != nil: ledger.arrive(expert)
        case 2 where onItsWay.remove(expert) != nil: ledger.cancel(expert)
        case 3:
          ledger.layerStarts(
            expert.layer, actual: layerCase([(expert.index, .missing)]), source: &source)
        default: break
        }
      }
      for expert in onItsWay { ledger.cancel(expert) }
      for layer in 0..<3 {
        ledger.layerStarts(layer, actual: layerCase([(0, .missing)]), source: &source)
      }
      let total = ledger.statistics.total
      #expect(
        total.issued == total.useful + total.late + total.redundant + total.cancelled,
        "seed \(seed)")
    }
  }
}
