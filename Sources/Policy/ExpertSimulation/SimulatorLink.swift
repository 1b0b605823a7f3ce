import ExpertCaching
import ExpertPrefetching
import Experts

// The link between plans: what it carries, and what becomes of it.
extension Simulator {
  func speed(whileCPUReads: Bool) -> LinkSpeed {
    LinkSpeed(machine.profile.costModel.link, whileCPUReads: whileCPUReads)
  }

  /// Lets the link work: slower until the CPU has ended, then at its full speed.
  mutating func playLink(until end: Double, cpuBusyUntil: Double) {
    if cpuBusyUntil > linkClock {
      playLink(until: min(end, cpuBusyUntil), speed: speed(whileCPUReads: true))
    }
    playLink(until: end, speed: speed(whileCPUReads: false))
  }

  mutating func playLink(until end: Double, speed: LinkSpeed) {
    guard end > linkClock else { return }
    defer { linkClock = end }
    guard !queue.isEmpty else { return }
    var played = pieces
    played.removeAll(keepingCapacity: true)
    queue.play(from: linkClock, to: end, speed: speed) { piece, start, end, completion in
      played.append(PlayedPiece(piece: piece, start: start, end: end, completion: completion))
    }
    for piece in played { take(piece) }
    pieces = played
  }

  private mutating func take(_ played: PlayedPiece) {
    report[phase].linkBytes += played.piece.byteCount
    report[phase].linkBusyMicroseconds += played.end - played.start
    let kind: Timeline.Kind =
      switch played.piece.priority {
      case .onDemand: .onDemandCopy
      case .prefetch: .prefetchCopy
      case .fill: .fillCopy
      }
    timeline?.append(
      .init(
        kind, on: .link, start: played.start, end: played.end, step: step, phase: phase,
        layer: played.piece.expert.layer, expert: played.piece.expert.index))
    switch played.completion {
    case .partial: break
    case .arrived(let expert, .prefetch):
      report[phase].copiedAhead += 1
      prefetch?.ledger.arrive(expert)
      takePrefetched(expert)
    case .arrived(let expert, .fill):
      report[phase].filled += 1
      takeFilled(expert)
    // The plan that waits for it admits it when the layer has run.
    case .arrived(let expert, .onDemand): prefetch?.ledger.arrive(expert)
    case .abandoned(let expert): forgetPrefetch(expert)
    }
  }

  private mutating func takePrefetched(_ expert: ExpertID) {
    if ring.expects(expert) { return ring.take(expert) }
    let promised = prefetch?.victims.removeValue(forKey: expert)
    guard !cache.isResident(expert) else { return }
    switch cache.offer(for: expert) {
    case .free: cache.insert(expert, isPrefetched: true, phase: phase)
    case .replacing(let lowest, _):
      let victim =
        if let promised, cache.isResident(promised), !cache.isPrefetched(promised) {
          promised
        } else {
          lowest
        }
      cache.insert(expert, replacing: victim, isPrefetched: true, phase: phase)
    case .none: break
    }
  }

  // A fill enters only if it is still worth its victim's slot.
  private mutating func takeFilled(_ expert: ExpertID) {
    guard !cache.isResident(expert) else { return }
    switch cache.offer(
      for: expert, sparing: expert.layer == runningLayer ? activatedSet : ExpertSet())
    {
    case .free: cache.insert(expert, phase: phase)
    case .replacing(let victim, let ranksHigher):
      if ranksHigher || system.admission == .forced {
        cache.insert(expert, replacing: victim, phase: phase)
      }
    case .none: break
    }
  }

  /// What the plan copied is on the GPU; the cache decides what stays there.
  mutating func admitCopied(_ layer: Int) {
    guard system.eviction != nil else { return }
    for operation in plan.operations where operation.lane == .gpu {
      guard case .expert(let index) = operation.subject else { continue }
      let expert = ExpertID(layer: layer, index: index)
      guard !cache.isResident(expert) else { continue }
      switch cache.offer(for: expert, sparing: activatedSet) {
      case .free: cache.insert(expert, phase: phase)
      case .replacing(let victim, let ranksHigher):
        guard ranksHigher || system.admission == .forced else { continue }
        cache.insert(expert, replacing: victim, phase: phase)
      case .none:
        // All residents were used by this plan, which is over: the better expert stays.
        guard case .replacing(let victim, true) = cache.offer(for: expert) else { continue }
        cache.insert(expert, replacing: victim, phase: phase)
      }
    }
  }

  /// Fills: misses that the CPU computed are copied afterwards where they are worth a slot. Not in a
  /// prefill, where the link's time belongs to the layers ahead.
  mutating func fillMisses(_ layer: Int) {
    var misses: [RatedExpert] = []
    for operation in plan.operations where operation.lane == .cpu {
      guard case .expert(let index) = operation.subject else { continue }
      let expert = ExpertID(layer: layer, index: index)
      guard !cache.isResident(expert), queue.priority(of: expert) == nil else { continue }
      misses.append(rated(expert))
    }
    guard !misses.isEmpty else { return }
    let bytes = machine.footprints[layer].linkBytes
    guard system.admission == .bypass else {
      for miss in misses { queue.enqueue(miss.expert, byteCount: bytes, priority: .fill) }
      return
    }
    // A fill keeps pieces in flight that the layers it passes may have to wait for.
    let costs = costs[layer]
    let piece = speed(whileCPUReads: true).duration(ofPiece: queue.largestPieceBytes)
    let layers = costs.linkPerExpert / max(1, plan.makespan)
    let delay = layers * piece * (Double(queue.piecesInFlight) - 0.5)
    var fills: [FillChoice] = []
    FillChooser().choose(
      misses: misses, victims: fillVictims(layer), freeSlots: freeSlots(layer),
      hitValue: costs.cpu(load: 1), delay: delay, into: &fills)
    for fill in fills { queue.enqueue(fill.expert, byteCount: bytes, priority: .fill) }
  }

  private func rated(_ expert: ExpertID) -> RatedExpert {
    RatedExpert(
      expert: expert, activationProbability: cache.activationProbability(of: expert))
  }

  private func freeSlots(_ layer: Int) -> Int {
    max(0, cache.slots(ofLayer: layer) - cache.residents(ofLayer: layer).count)
  }

  private func fillVictims(_ layer: Int) -> [RatedExpert] {
    var victims: [RatedExpert] = []
    let learned = cache.activationProbabilities(ofLayer: layer)
    cache.residents(ofLayer: layer).forEach {
      victims.append(
        RatedExpert(
          expert: ExpertID(layer: layer, index: $0), activationProbability: learned[$0]))
    }
    return victims.sorted { $0.activationProbability < $1.activationProbability }
  }
}
