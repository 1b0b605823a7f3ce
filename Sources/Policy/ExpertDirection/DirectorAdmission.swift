import ExpertCaching
import ExpertPrefetching
import Experts

// Who enters the cache, and who leaves it.
extension ExpertDirector {
  /// The plan brings experts to the GPU: says which of their places are to be kept.
  ///
  /// Nearly always nothing can change the layer's residents until its end, so the cache decides now
  /// who stays, before the copies are made; two staging places then serve any number of copies that
  /// do not. But where a guess for this very layer turned out wrong and is on the link all the same,
  /// it arrives before the layer ends and takes a slot. Then all copies of the plan are kept, as far
  /// as there are places for them, and the cache decides at the end.
  mutating func prepareAdmission(_ layer: Int) {
    running.mayStay = ExpertSet()
    guard system.eviction != nil else { return }
    var copied = ExpertSet()
    for operation in plan.operations where operation.lane == .gpu {
      guard case .expert(let index) = operation.subject,
        !cache.isResident(ExpertID(layer: layer, index: index))
      else { continue }
      copied.insert(index)
    }
    running.admitsAtEnd =
      phase == .decode && copied.count <= system.placesForCopies(lanes) && isGuessComing(layer)
    guard !running.admitsAtEnd else {
      running.mayStay = copied
      return
    }
    admitCopied(layer)
    copied.forEach { index in
      if cache.isResident(ExpertID(layer: layer, index: index)) { running.mayStay.insert(index) }
    }
  }

  // Whether something is on its way into the layer's slots that its plan does not wait for.
  private func isGuessComing(_ layer: Int) -> Bool {
    // By itself, so that the closure does not copy the whole director.
    let ring = ring
    var isComing = false
    queue.forEachTransfer { expert, priority in
      if expert.layer == layer, priority != .onDemand, !ring.expects(expert) { isComing = true }
    }
    return isComing
  }

  /// The cache decides who of those that the plan brings to the GPU stays there.
  mutating func admitCopied(_ layer: Int) {
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

  /// A copy ahead is whole: into the ring, or into the cache, there in place of the resident that it
  /// was to replace if that is still there.
  mutating func takePrefetched(_ expert: ExpertID) {
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

  /// A fill is whole: it enters only if it is still worth its victim's slot.
  mutating func takeFilled(_ expert: ExpertID) {
    guard !cache.isResident(expert) else { return note(.dropped(expert)) }
    let spared = expert.layer == runningLayer ? activatedSet : ExpertSet()
    switch cache.offer(for: expert, sparing: spared) {
    case .free: insert(expert)
    case .replacing(let victim, let ranksHigher) where ranksHigher || system.admission == .forced:
      insert(expert, replacing: victim)
    case .replacing, .none: note(.dropped(expert))
    }
  }

  private mutating func insert(
    _ expert: ExpertID, replacing victim: ExpertID? = nil, isPrefetched: Bool = false
  ) {
    cache.insert(expert, replacing: victim, isPrefetched: isPrefetched, phase: phase)
    note(.inserted(expert, replacing: victim))
  }
}
