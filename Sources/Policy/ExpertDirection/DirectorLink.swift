import ExpertCaching
import ExpertPrefetching
import Experts

// The link between plans: what it carries, and what becomes of it.
extension ExpertDirector {
  /// Takes note of a piece that is through and of what that means.
  mutating func take(_ carried: CarriedPiece, _ completion: TransferQueue.Completion) {
    count(carried)
    switch completion {
    case .partial: break
    case .arrived(let expert, .prefetch):
      report[phase].copiedAhead += 1
      prefetch?.ledger.arrive(expert)
      takePrefetched(expert)
    case .arrived(let expert, .fill):
      report[phase].filled += 1
      takeFilled(expert)
    // Whether it stays was decided with the plan that waits for it.
    case .arrived(let expert, .onDemand):
      prefetch?.ledger.arrive(expert)
      arrived.append(expert)
      note(.arrived(expert))
    case .abandoned(let expert):
      forgetPrefetch(expert)
      note(.abandoned(expert))
    }
  }

  private mutating func takePrefetched(_ expert: ExpertID) {
    if ring.expects(expert) {
      ring.take(expert)
      return note(.ringTaken(expert))
    }
    let promised = prefetch?.victims.removeValue(forKey: expert)
    guard !cache.isResident(expert) else { return note(.dropped(expert)) }
    switch cache.offer(for: expert) {
    case .free: insert(expert, isPrefetched: true)
    case .replacing(let lowest, _):
      let victim =
        if let promised, cache.isResident(promised), !cache.isPrefetched(promised) {
          promised
        } else {
          lowest
        }
      insert(expert, replacing: victim, isPrefetched: true)
    case .none: note(.dropped(expert))
    }
  }

  // A fill enters only if it is still worth its victim's slot.
  private mutating func takeFilled(_ expert: ExpertID) {
    guard !cache.isResident(expert) else { return note(.dropped(expert)) }
    switch cache.offer(
      for: expert, sparing: expert.layer == runningLayer ? activatedSet : ExpertSet())
    {
    case .free: insert(expert)
    case .replacing(let victim, let ranksHigher) where ranksHigher || system.admission == .forced:
      insert(expert, replacing: victim)
    case .replacing, .none: note(.dropped(expert))
    }
  }

  /// What the plan brings to the GPU: the cache decides what stays there.
  ///
  /// Decided with the plan, before the copies are made, so that the engine knows for each whether to
  /// keep it: two staging places then serve any number of copies that do not stay.
  mutating func admitCopied(_ layer: Int) {
    guard system.eviction != nil else { return }
    for operation in plan.operations where operation.lane == .gpu {
      guard case .expert(let index) = operation.subject else { continue }
      let expert = ExpertID(layer: layer, index: index)
      guard !cache.isResident(expert) else { continue }
      switch cache.offer(for: expert, sparing: activatedSet) {
      case .free: insert(expert)
      case .replacing(let victim, let ranksHigher):
        guard ranksHigher || system.admission == .forced else { continue }
        insert(expert, replacing: victim)
      case .none:
        // All residents are used by this plan: the better expert stays when it is over.
        guard case .replacing(let victim, true) = cache.offer(for: expert) else { continue }
        insert(expert, replacing: victim)
      }
    }
  }

  private mutating func insert(
    _ expert: ExpertID, replacing victim: ExpertID? = nil, isPrefetched: Bool = false
  ) {
    cache.insert(expert, replacing: victim, isPrefetched: isPrefetched, phase: phase)
    note(.inserted(expert, replacing: victim))
  }

  /// The ring's experts of a layer have been read.
  mutating func leaveRing(_ layer: Int) {
    var left: [ExpertID] = []
    ring.leave(layer) { left.append($0) }
    for expert in left { note(.ringLeft(expert)) }
  }

  mutating func emptyRing() {
    var left: [ExpertID] = []
    ring.empty { left.append($0) }
    for expert in left { note(.ringLeft(expert)) }
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
    let bytes = lanes.linkBytes(ofLayer: layer)
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
