import ExpertCaching
import ExpertPrefetching
import Experts

// Who enters the cache, and who leaves it.
extension ExpertDirector {
  /// What the plan brings to the GPU: the cache decides what stays there.
  ///
  /// Decided with the plan, before the copies are made, so that the engine knows for each whether to
  /// keep it: two staging places then serve any number of copies that do not stay.
  mutating func admitCopied(_ layer: Int) {
    running.admitted.removeAll(keepingCapacity: true)
    running.mayStay = ExpertSet()
    guard system.eviction != nil else { return }
    var candidates: [ExpertID] = []
    for operation in plan.operations where operation.lane == .gpu {
      guard case .expert(let index) = operation.subject else { continue }
      let expert = ExpertID(layer: layer, index: index)
      if !cache.isResident(expert) { candidates.append(expert) }
    }
    guard !candidates.isEmpty else { return }
    foresee(candidates, layer)
    offerSlots(to: candidates)
    for exchange in running.admitted {
      running.mayStay.insert(exchange.newcomer.index)
      note(.inserted(exchange.newcomer, replacing: exchange.victim))
    }
  }

  // Offers the candidates slots in their order.
  private mutating func offerSlots(to candidates: [ExpertID]) {
    running.admitted.removeAll(keepingCapacity: true)
    for expert in candidates where !cache.isResident(expert) {
      guard let exchange = admit(expert, to: slotForCopied(expert)) else { continue }
      running.admitted.append(exchange)
    }
  }

  // Who else would stay if what is on its way to this layer arrived while the layer runs: a wrong
  // guess that takes a slot is the first to lose it.
  private mutating func foresee(_ candidates: [ExpertID], _ layer: Int) {
    var coming: [(ExpertID, TransferQueue.Priority)] = []
    queue.forEachTransfer { expert, priority in
      if expert.layer == layer, priority != .onDemand, !ring.expects(expert) {
        coming.append((expert, priority))
      }
    }
    guard !coming.isEmpty else { return }
    let cacheBefore = cache
    for count in 1...coming.count {
      for (expert, priority) in coming.prefix(count) where !cache.isResident(expert) {
        _ = admit(
          expert, to: priority == .prefetch ? slotForPrefetched(expert) : slotForFilled(expert),
          isPrefetched: priority == .prefetch)
      }
      offerSlots(to: candidates)
      for exchange in running.admitted { running.mayStay.insert(exchange.newcomer.index) }
      cache = cacheBefore
    }
  }

  private mutating func admit(
    _ expert: ExpertID, to place: Place, isPrefetched: Bool = false
  ) -> Exchange? {
    var victim: ExpertID?
    switch place {
    case .free: break
    case .replacing(let resident): victim = resident
    case .refused: return nil
    }
    let isGuess = victim.map { cache.isPrefetched($0) } ?? false
    cache.insert(expert, replacing: victim, isPrefetched: isPrefetched, phase: phase)
    return Exchange(newcomer: expert, victim: victim, victimWasPrefetched: isGuess)
  }

  // Where a copy on demand stays, if it does.
  private func slotForCopied(_ expert: ExpertID) -> Place {
    switch cache.offer(for: expert, sparing: activatedSet) {
    case .free: return .free
    case .replacing(let victim, let ranksHigher):
      return ranksHigher || system.admission == .forced ? .replacing(victim) : .refused
    case .none:
      // All residents are used by this plan: the better expert stays when it is over.
      guard case .replacing(let victim, true) = cache.offer(for: expert) else { return .refused }
      return .replacing(victim)
    }
  }

  /// A copy ahead is whole: into the ring, or into the cache.
  mutating func takePrefetched(_ expert: ExpertID) {
    if ring.expects(expert) {
      ring.take(expert)
      return note(.ringTaken(expert))
    }
    take(expert, isPrefetched: true)
    prefetch?.victims[expert] = nil
  }

  // A copy ahead gets the slot of the resident that it was to replace, if that is still there.
  private func slotForPrefetched(_ expert: ExpertID) -> Place {
    switch cache.offer(for: expert) {
    case .free: return .free
    case .replacing(let lowest, _):
      guard let promised = prefetch?.victims[expert], cache.isResident(promised),
        !cache.isPrefetched(promised)
      else { return .replacing(lowest) }
      return .replacing(promised)
    case .none: return .refused
    }
  }

  /// A fill is whole: it enters only if it is still worth its victim's slot.
  mutating func takeFilled(_ expert: ExpertID) { take(expert, isPrefetched: false) }

  private func slotForFilled(_ expert: ExpertID) -> Place {
    let spared = expert.layer == runningLayer ? activatedSet : ExpertSet()
    switch cache.offer(for: expert, sparing: spared) {
    case .free: return .free
    case .replacing(let victim, let ranksHigher):
      return ranksHigher || system.admission == .forced ? .replacing(victim) : .refused
    case .none: return .refused
    }
  }

  // An expert that came behind the plan's back finds its slot. Where its own layer runs, it does so
  // before those that the plan copies: what they were promised is settled anew.
  private mutating func take(_ expert: ExpertID, isPrefetched: Bool) {
    guard !cache.isResident(expert) else { return note(.dropped(expert)) }
    let isAmongRunning = expert.layer == runningLayer && !running.mayStay.isEmpty
    let before = isAmongRunning ? cache.residents(ofLayer: expert.layer) : ExpertSet()
    if isAmongRunning { withdrawAdmitted() }
    let exchange = admit(
      expert, to: isPrefetched ? slotForPrefetched(expert) : slotForFilled(expert),
      isPrefetched: isPrefetched)
    if isAmongRunning { return settleAdmitted(after: expert, before) }
    note(exchange.map { .inserted(expert, replacing: $0.victim) } ?? .dropped(expert))
  }

  private mutating func withdrawAdmitted() {
    for exchange in running.admitted.reversed() {
      if let victim = exchange.victim {
        cache.insert(
          victim, replacing: exchange.newcomer, isPrefetched: exchange.victimWasPrefetched,
          phase: phase)
      } else {
        cache.evict(exchange.newcomer, phase: phase)
      }
    }
  }

  // The plan's experts on the GPU are offered slots again: its copies of which it was said that they
  // may stay, since the others' places may have been used again, and those that had a slot until now.
  // Whoever was to go is gone for good: its slot may have been written to.
  private mutating func settleAdmitted(after expert: ExpertID, _ before: ExpertSet) {
    let layer = expert.layer
    offerSlots(
      to: plan.operations.compactMap {
        guard $0.lane == .gpu, case .expert(let index) = $0.subject,
          running.mayStay.contains(index) || before.contains(index)
        else { return nil }
        return ExpertID(layer: layer, index: index)
      })
    var came: [ExpertID] = []
    cache.residents(ofLayer: layer).forEach { index in
      if !before.contains(index) { came.append(ExpertID(layer: layer, index: index)) }
    }
    for newcomer in came where newcomer != expert && !running.mayStay.contains(newcomer.index) {
      cache.evict(newcomer, phase: phase)
    }
    came.removeAll { !cache.isResident($0) }
    var gone = before.members.map { ExpertID(layer: layer, index: $0) }
      .filter { !cache.isResident($0) }
    if !came.contains(expert) { note(.dropped(expert)) }
    for newcomer in came { note(.inserted(newcomer, replacing: gone.popLast())) }
    for expert in gone { note(.evicted(expert)) }
  }
}

/// A newcomer of the running plan, and whose slot it gets.
struct Exchange: Sendable {
  var newcomer: ExpertID
  var victim: ExpertID?
  var victimWasPrefetched: Bool
}

/// What the cache gives to a newcomer.
enum Place {
  case free
  case replacing(ExpertID)
  case refused
}
