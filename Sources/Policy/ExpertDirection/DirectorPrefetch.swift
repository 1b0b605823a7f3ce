import ExpertCaching
import ExpertPrefetching
import ExpertScheduling
import Experts

// What the idle link is to bring for the layers ahead.
extension ExpertDirector {
  /// The routing of a layer is known: prefetches that it does not need, or that have not begun, are
  /// given up.
  mutating func cancelUnwanted(_ layer: Int) {
    let bytes = lanes.linkBytes(ofLayer: layer)
    let before = queue
    // A fill that has not begun is no reason to copy now; the plan decides.
    giveUp(.fill) { $0.layer == layer && before.remainingBytes(of: $0) == bytes }
    guard prefetch != nil else { return }
    let wanted = activatedSet
    let queue = queue
    giveUpPrefetches { expert in
      expert.layer == layer
        && (!wanted.contains(expert.index) || queue.remainingBytes(of: expert) == bytes)
    }
  }

  /// Gives up transfers of a class; those of which a piece is on the link end with it.
  mutating func giveUp(
    _ priority: TransferQueue.Priority, where condition: (ExpertID) -> Bool
  ) {
    for expert in queue.cancel(priority, where: condition) { note(.abandoned(expert)) }
  }

  private mutating func giveUpPrefetches(where condition: (ExpertID) -> Bool) {
    for expert in queue.cancelPrefetches(where: condition) {
      forgetPrefetch(expert)
      note(.abandoned(expert))
    }
  }

  /// A prefetch was given up and its slot is free again.
  mutating func forgetPrefetch(_ expert: ExpertID) {
    prefetch?.ledger.cancel(expert)
    prefetch?.victims[expert] = nil
    ring.forget(expert)
  }

  /// Tells the ledger what the layer finds, so that it learns whether prefetching pays.
  mutating func judgePrefetches(_ layerCase: LayerCase, _ layer: Int) {
    guard var state = prefetch else { return }
    prefetch = nil
    defer { prefetch = state }
    let hasArrivals = layerCase.experts.contains {
      if case .arriving = $0.residency { true } else { false }
    }
    // Where nothing arrives for this layer, the link is held up by what it carries for others.
    let gain = state.ledger.layerStarts(
      layer, actual: layerCase, heldUp: hasArrivals ? 0 : layerCase.linkFree, source: &state.source)
    state.prefetcher.layerRan(layer, gain: gain)
  }

  /// Decides what the link brings next; called when a layer's plan is made.
  mutating func prefetchAhead(_ event: RoutingEvent) {
    guard prefetch != nil else { return }
    prefetch?.predictor.observe(event)
    switch phase {
    case .prefill: streamAhead(of: event.layer)
    case .decode: chooseAhead(of: event.layer)
    }
  }

  // In a prefill: the next layer's experts that are likely to be activated, by falling load.
  mutating func streamAhead(of layer: Int) {
    let next = layer + 1
    guard let forecast = prefetch?.predictor.forecast(of: next, step: step) else { return }
    let order = (0..<expertCount).filter { forecast.probability[$0] > 0.5 }
      .sorted { (forecast.expectedLoad[$1], $0) < (forecast.expectedLoad[$0], $1) }
    var count = ring.count(ofLayer: next)
    for index in order where ring.room > 0 && count < system.prefetchLimit ?? .max {
      let expert = ExpertID(layer: next, index: index)
      guard !cache.isResident(expert), !ring.holds(expert), queue.priority(of: expert) == nil
      else { continue }
      queue.enqueue(
        expert, byteCount: lanes.linkBytes(ofLayer: next), priority: .prefetch)
      ring.expect(expert)
      count += 1
    }
  }

  // In decode: the prefetcher's choice. What has not begun is chosen anew, by what is known now.
  private mutating func chooseAhead(of layer: Int) {
    let lanes = lanes
    let before = queue
    prefetch?.noteWaiting(before) { lanes.linkBytes(ofLayer: $0) }
    giveUpPrefetches { before.remainingBytes(of: $0) == lanes.linkBytes(ofLayer: $0.layer) }
    guard var state = prefetch else { return }
    prefetch = nil
    defer { prefetch = state }
    let copies = plan.operations.reduce(0) { $1.lane == .link ? max($0, $1.end) : $0 }
    let attention = lanes.attentionMicroseconds(layer: layer, tokens: tokens, context: context)
    state.noteLayer(microseconds: plan.makespan + attention, hasCopies: copies > 0)
    state.outlooks.removeAll(keepingCapacity: true)
    for distance in 1...min(PrefetchState.distances, lanes.layerCount) {
      var outlook = outlook(distance, from: layer, attention: attention, state)
      guard fillProbabilities(&outlook, from: layer, state) else { continue }
      rateVictims(&outlook, state)
      state.outlooks.append(outlook)
    }
    guard !state.outlooks.isEmpty else { return }
    let speed = speed(whileCPUReads: true)
    let onItsWay = queue.freeTime(after: now, speed: speed, classes: .onDemand ... .prefetch) - now
    let link = LinkOutlook(
      freeIn: max(copies, onItsWay),
      pieceMicroseconds: Double(queue.largestPieceBytes) / speed.bytesPerMicrosecond,
      piecesInFlight: queue.piecesInFlight)
    state.prefetcher.choose(for: state.outlooks, link: link, into: &state.choices)
    for choice in state.choices {
      let bytes = lanes.linkBytes(ofLayer: choice.expert.layer)
      queue.enqueue(choice.expert, byteCount: bytes, priority: .prefetch)
      if system.eviction == nil { ring.expect(choice.expert) }
      state.victims[choice.expert] = choice.victim
      state.ledger.issue(choice, byteCount: bytes)
    }
  }

  // Behind the last layer come the first ones of the next step.
  private func outlook(
    _ distance: Int, from layer: Int, attention: Double, _ state: PrefetchState
  ) -> LayerOutlook {
    let target = (layer + distance) % layerCount
    var startsIn = plan.makespan + attention + Double(distance - 1) * state.layerMicroseconds
    if target <= layer {
      startsIn +=
        lanes.outputMicroseconds
        + lanes.denseLayersMicroseconds(tokens: tokens, context: context)
    }
    var outlook = LayerOutlook(
      layer: target, distance: distance, phase: phase, costs: costs[target],
      expertBytes: lanes.linkBytes(ofLayer: target), startsIn: startsIn)
    outlook.resident = cache.residents(ofLayer: target)
    ring.forEachHeld(ofLayer: target) { outlook.resident.insert($0) }
    queue.forEachTransfer { expert, priority in
      if expert.layer == target, priority == .prefetch { outlook.inFlight.insert(expert.index) }
    }
    outlook.onDemandProbability = state.onDemandShare
    outlook.freeSlots =
      system.eviction == nil
      ? ring.room
      : max(0, cache.slots(ofLayer: target) - outlook.resident.count - outlook.inFlight.count)
    return outlook
  }

  // What the routers say, and, in our system, what the cache has learned about each expert.
  private func fillProbabilities(
    _ outlook: inout LayerOutlook, from layer: Int, _ state: PrefetchState
  ) -> Bool {
    let isForeseen = outlook.layer > layer && state.predictor.fill(&outlook, step: step)
    guard system.prefetching == .impact, isForeseen else { return isForeseen }
    let base = Double(activatedCount) / Double(expertCount)
    let learnedOfLayer = cache.activationProbabilities(ofLayer: outlook.layer)
    for index in 0..<expertCount {
      let learned = learnedOfLayer[index]
      let foreseen = isForeseen ? outlook.probability[index] : base
      let probability = Self.combine(foreseen, learned, base: base, trust: isForeseen ? 0.5 : 1)
      if isForeseen {
        outlook.probability[index] = probability
        outlook.expectedLoad[index] = probability
      } else {
        outlook.probability.append(probability)
        outlook.expectedLoad.append(probability)
      }
    }
    return true
  }

  /// Two opinions about one event as one: the odds of the first, times what the second's odds are
  /// above the average expert's.
  ///
  /// - Parameter trust: 1 where the opinions are independent; a half where they partly say the same,
  ///   and then the second may change the odds by a factor of 4 at most.
  static func combine(
    _ first: Double, _ second: Double, base: Double, trust: Double
  ) -> Double {
    guard base > 0, base < 1, first < 1 else { return first }
    let held = min(0.98, max(0.02, second))
    var factor = held * (1 - base) / ((1 - held) * base)
    if trust < 1 { factor = min(4, max(0.25, factor.squareRoot())) }
    return first * factor / (first * factor + 1 - first)
  }

  // Residents that may go: not those that queued prefetches replace already.
  private func rateVictims(_ outlook: inout LayerOutlook, _ state: PrefetchState) {
    // A fixed residency has no victims: its copies ahead go through the ring.
    guard system.eviction != nil else { return }
    var order: [(index: Int, rank: Double, probability: Double)] = []
    let learned = cache.activationProbabilities(ofLayer: outlook.layer)
    var staying = cache.prefetched(ofLayer: outlook.layer)
    for victim in state.victims.values where victim.layer == outlook.layer {
      staying.insert(victim.index)
    }
    outlook.resident.forEach { index in
      guard !staying.contains(index) else { return }
      let expert = ExpertID(layer: outlook.layer, index: index)
      var probability = outlook.probability[index]
      var rank = cache.score(of: expert)
      // The paper leaves the choice to the cache. We charge a victim for its next run, which the
      // forecast knows better, and once more for the runs after that.
      if system.prefetching == .impact {
        probability = min(1, probability + learned[index])
        rank = probability
      }
      order.append((index, rank, probability))
    }
    order.sort { ($0.rank, $0.index) < ($1.rank, $1.index) }
    for victim in order.prefix(Self.victimLimit) {
      outlook.victims.append(
        RatedExpert(
          expert: ExpertID(layer: outlook.layer, index: victim.index),
          activationProbability: victim.probability))
    }
  }

  /// Victims that a prefetcher is offered in a layer at most.
  private static let victimLimit = 8
}
