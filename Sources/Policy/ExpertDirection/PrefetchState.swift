import ExpertPrefetching
import ExpertScheduling
import Experts

/// What prefetching keeps from layer to layer.
struct PrefetchState {
  var predictor: RoutingPredictor
  var prefetcher: any Prefetcher
  var ledger: PrefetchLedger
  /// Tells the ledger what layers would have taken.
  var source = HybridScheduler()
  /// The residents that queued prefetches are to replace.
  var victims: [ExpertID: ExpertID] = [:]
  var outlooks: [LayerOutlook] = []
  var choices: [PrefetchChoice] = []
  /// A running mean of a decode layer's time, from one routing to the next.
  var layerMicroseconds = 0.0
  /// What the first copy would gain that the link had no time for, as a running mean: the worth of
  /// one copy's time on the link.
  var waitingGain = 0.0
  /// How often a decode layer's plan copies something, as a running mean.
  var onDemandShare = 0.5

  /// Layers that are looked ahead (the paper's three).
  static let distances = 3

  init?(_ lanes: any LaneCosts, _ system: SystemDescription) {
    let activated = lanes.activatedCount
    let limit = system.prefetchLimit
    switch system.prefetching {
    case .off: return nil
    case .nextLayer:
      prefetcher = NextLayerPrefetcher(activated: activated, limitPerLayer: limit)
    case .paper:
      prefetcher = PaperPrefetcher(
        source: PlannedMakespan(PaperScheduler()), activated: activated,
        limitPerLayer: limit)
    case .impact:
      prefetcher = ImpactPrefetcher(
        source: HybridScheduler(), limitPerLayer: limit,
        gate: PrefetchGate(layers: lanes.layerCount))
    }
    predictor = RoutingPredictor(
      layers: lanes.layerCount, experts: lanes.expertCount, activated: activated,
      distances: Self.distances)
    ledger = PrefetchLedger(
      layers: lanes.layerCount, experts: lanes.expertCount, distances: Self.distances)
  }

  /// The link has had its time; the first choice that it has not begun is what more time would buy.
  mutating func noteWaiting(_ queue: TransferQueue, bytes: (Int) -> Int) {
    let waiting = choices.first { choice in
      queue.remainingBytes(of: choice.expert) == bytes(choice.expert.layer)
    }
    waitingGain += ((waiting?.expectedGain ?? 0) - waitingGain) / 32
  }

  /// A decode layer has run.
  mutating func noteLayer(microseconds: Double, hasCopies: Bool) {
    layerMicroseconds +=
      (microseconds - layerMicroseconds) * (layerMicroseconds == 0 ? 1 : 1.0 / 16)
    onDemandShare += ((hasCopies ? 1 : 0) - onDemandShare) / 64
  }
}
