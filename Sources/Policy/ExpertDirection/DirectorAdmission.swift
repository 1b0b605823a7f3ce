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
    guard system.eviction != nil else { return }
    for operation in plan.operations where operation.lane == .gpu {
      guard case .expert(let index) = operation.subject else { continue }
      let expert = ExpertID(layer: layer, index: index)
      guard !cache.isResident(expert), let exchange = admit(expert, to: slotForCopied(expert))
      else { continue }
      note(.inserted(expert, replacing: exchange.victim))
      running.admitted.append(exchange)
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
    cache.insert(expert, replacing: victim, isPrefetched: isPrefetched, phase: phase)
    return Exchange(newcomer: expert, victim: victim)
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
    let promised = prefetch?.victims.removeValue(forKey: expert)
    take(expert, isPrefetched: true) { director in
      switch director.cache.offer(for: expert) {
      case .free: return .free
      case .replacing(let lowest, _):
        guard let promised, director.cache.isResident(promised),
          !director.cache.isPrefetched(promised)
        else { return .replacing(lowest) }
        return .replacing(promised)
      case .none: return .refused
      }
    }
  }

  /// A fill is whole: it enters only if it is still worth its victim's slot.
  mutating func takeFilled(_ expert: ExpertID) {
    let spared = expert.layer == runningLayer ? activatedSet : ExpertSet()
    take(expert, isPrefetched: false) { director in
      switch director.cache.offer(for: expert, sparing: spared) {
      case .free: .free
      case .replacing(let victim, let ranksHigher):
        ranksHigher || director.system.admission == .forced ? .replacing(victim) : .refused
      case .none: .refused
      }
    }
  }

  // An expert that came behind the plan's back finds its slot. Where its own layer runs, it does so
  // before those that the plan copies: what they were promised is settled anew.
  private mutating func take(
    _ expert: ExpertID, isPrefetched: Bool, place: (borrowing ExpertDirector) -> Place
  ) {
    guard !cache.isResident(expert) else { return note(.dropped(expert)) }
    let isAmongRunning = expert.layer == runningLayer && !running.admitted.isEmpty
    let before = isAmongRunning ? cache.residents(ofLayer: expert.layer) : ExpertSet()
    if isAmongRunning { withdrawAdmitted() }
    let exchange = admit(expert, to: place(self), isPrefetched: isPrefetched)
    if isAmongRunning { return settleAdmitted(after: expert, before) }
    note(exchange.map { .inserted(expert, replacing: $0.victim) } ?? .dropped(expert))
  }

  private mutating func withdrawAdmitted() {
    for exchange in running.admitted.reversed() {
      if let victim = exchange.victim {
        cache.insert(victim, replacing: exchange.newcomer, phase: phase)
      } else {
        cache.evict(exchange.newcomer, phase: phase)
      }
    }
  }

  // The plan's copies are offered their slots again; only those can stay that were to stay, since the
  // others' places may have been used again. Whoever was to go is gone for good: its slot may have
  // been written to.
  private mutating func settleAdmitted(after expert: ExpertID, _ before: ExpertSet) {
    let layer = expert.layer
    let wanted = running.admitted
    running.admitted.removeAll(keepingCapacity: true)
    for exchange in wanted {
      let newcomer = exchange.newcomer
      guard !cache.isResident(newcomer),
        let settled = admit(newcomer, to: slotForCopied(newcomer))
      else { continue }
      running.admitted.append(settled)
    }
    let now = cache.residents(ofLayer: layer)
    now.forEach { index in
      if !before.contains(index), index != expert.index {
        cache.evict(ExpertID(layer: layer, index: index), phase: phase)
      }
    }
    var gone = before.members.filter { !now.contains($0) }
      .map { ExpertID(layer: layer, index: $0) }
    if cache.isResident(expert) {
      note(.inserted(expert, replacing: gone.popLast()))
    } else {
      note(.dropped(expert))
    }
    for expert in gone { note(.evicted(expert)) }
  }
}

/// A newcomer of the running plan, and whose slot it gets.
struct Exchange: Sendable {
  var newcomer: ExpertID
  var victim: ExpertID?
}

/// What the cache gives to a newcomer.
enum Place {
  case free
  case replacing(ExpertID)
  case refused
}
