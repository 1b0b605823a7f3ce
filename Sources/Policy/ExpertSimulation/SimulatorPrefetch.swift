import ExpertCaching
import ExpertPrefetching
import ExpertScheduling
import Experts

/// What prefetching keeps from layer to layer.
struct PrefetchState {
  var predictor: RoutingPredictor
  var prefetcher: any Prefetcher
  var ledger: PrefetchLedger
  /// The residents that queued prefetches are to replace.
  var victims: [ExpertID: ExpertID] = [:]
  var outlooks: [LayerOutlook] = []
  var choices: [PrefetchChoice] = []
  /// A running mean of a layer's time, from one routing to the next.
  var layerMicroseconds = 0.0

  init(_ machine: SimulatedMachine, _ system: SystemDescription) {
    predictor = RoutingPredictor(
      layers: machine.layerCount, experts: machine.expertCount, activated: machine.activatedCount)
    prefetcher = NoPrefetcher()
    ledger = PrefetchLedger(layers: machine.layerCount, experts: machine.expertCount)
  }
}

// What the idle link is to bring for the layers ahead.
extension Simulator {
  /// The routing of a layer is known: prefetches that it does not need, or that have not begun, are
  /// given up.
  mutating func cancelUnwanted(_ layer: Int) {
    guard prefetch != nil else { return }
    let wanted = activatedSet
    let bytes = machine.footprints[layer].linkBytes
    let queue = queue
    giveUpPrefetches { expert in
      expert.layer == layer
        && (!wanted.contains(expert.index) || queue.remainingBytes(of: expert) == bytes)
    }
  }

  private mutating func giveUpPrefetches(where condition: (ExpertID) -> Bool) {
    for expert in queue.cancelPrefetches(where: condition) {
      prefetch?.ledger.cancel(expert)
      prefetch?.victims[expert] = nil
      ring.forget(expert)
    }
  }

  /// Decides what the link brings next; called when a layer's plan is known.
  mutating func prefetchAhead(_ event: RoutingEvent, _ layerCase: LayerCase) {
    guard prefetch != nil else { return }
    prefetch?.predictor.observe(event)
    if phase == .prefill { streamAhead(of: event.layer) }
  }

  // In a prefill: the next layer's experts that are likely to be activated, by falling load.
  private mutating func streamAhead(of layer: Int) {
    let next = layer + 1
    guard let forecast = prefetch?.predictor.forecast(of: next, step: step) else { return }
    let order = (0..<machine.expertCount).filter { forecast.probability[$0] > 0.5 }
      .sorted { (forecast.expectedLoad[$1], $0) < (forecast.expectedLoad[$0], $1) }
    for index in order where ring.hasRoom {
      let expert = ExpertID(layer: next, index: index)
      guard !cache.isResident(expert), queue.priority(of: expert) == nil else { continue }
      queue.enqueue(
        expert, byteCount: machine.footprints[next].linkBytes, priority: .prefetch)
      ring.expect(expert)
    }
  }
}
