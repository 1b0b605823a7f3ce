import ExpertPrefetching
import ExpertScheduling
import Experts
import TestSupport
import Testing

/// One layer of eight experts that is run over and over, with predictions that come true or never
/// do; victims are then just what is needed.
private struct RepeatedLayer {
  var prefetcher = ImpactPrefetcher(source: HybridScheduler(), gate: PrefetchGate(layers: 1))
  var ledger = PrefetchLedger(layers: 1, experts: 8)
  private var source = HybridScheduler()
  private var choices: [PrefetchChoice] = []
  private(set) var copies = 0

  /// The CPU takes 10 for an expert, the GPU 1, a copy 50.
  private static let costs = LayerCosts(cpuPerToken: 10, gpuPerExpert: 1, linkPerExpert: 50)

  init() {}

  /// Experts 0 and 1 are resident, 2 and 3 predicted.
  mutating func run(predictionsComeTrue: Bool) {
    var outlook = LayerOutlook(
      layer: 0, distance: 1, phase: .decode, costs: Self.costs, expertBytes: 1, startsIn: 1000)
    outlook.probability = [0, 0, 0.9, 0.9, 0.05, 0.05, 0.05, 0.05]
    outlook.expectedLoad = outlook.probability
    outlook.resident = ExpertSet([0, 1])
    outlook.victims = [0, 1].map {
      RatedExpert(expert: ExpertID(layer: 0, index: $0), activationProbability: 0)
    }
    let link = LinkOutlook(freeIn: 0, pieceMicroseconds: 1)
    prefetcher.choose(for: [outlook], link: link, into: &choices)
    copies += choices.count
    var resident = outlook.resident
    for choice in choices {
      ledger.issue(choice, byteCount: 1)
      ledger.arrive(choice.expert)
      resident.insert(choice.expert.index)
      if let victim = choice.victim { resident.remove(victim.index) }
    }
    let layerCase = LayerCase(
      phase: .decode,
      experts: (predictionsComeTrue ? [2, 3] : [0, 1]).map {
        ActivatedExpert(
          index: $0, load: 1, residency: resident.contains($0) ? .resident : .missing)
      }, costs: Self.costs)
    let gain = ledger.layerStarts(0, actual: layerCase, source: &source)
    prefetcher.layerRan(0, gain: gain)
  }
}

@Suite struct SelfDisablingTests {
  @Test func `predictions that never come true cost little, because prefetching ends`() {
    var layer = RepeatedLayer()
    for _ in 0..<2000 { layer.run(predictionsComeTrue: false) }
    #expect(layer.prefetcher.gate?.isOpen(0) == false)
    #expect(layer.copies < 2 * 100)
    #expect(layer.ledger.statistics.total.redundant == layer.copies)
    #expect(layer.ledger.statistics.measuredGain < 0)
  }

  @Test func `predictions that come true are followed every time`() {
    var layer = RepeatedLayer()
    for _ in 0..<500 { layer.run(predictionsComeTrue: true) }
    #expect(layer.prefetcher.gate?.isOpen(0) == true)
    #expect(layer.copies == 1000)
    #expect(layer.ledger.statistics.total.useful == 1000)
    // Both experts on the GPU take 2; on the CPU they would take 20, or 11 shared out.
    #expect(layer.ledger.statistics.measuredGain > 500 * 8)
  }

  @Test func `prefetching comes back when predictions become true`() {
    var layer = RepeatedLayer()
    for _ in 0..<300 { layer.run(predictionsComeTrue: false) }
    #expect(layer.prefetcher.gate?.isOpen(0) == false)
    for _ in 0..<2500 { layer.run(predictionsComeTrue: true) }
    #expect(layer.prefetcher.gate?.isOpen(0) == true)
  }
}
