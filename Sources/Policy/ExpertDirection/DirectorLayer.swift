import ExpertCaching
import ExpertPrefetching
import ExpertScheduling
import Experts

// One MoE layer: from its routing to its plan, and its end.
extension ExpertDirector {
  /// Plans the layer and decides what follows from the plan.
  mutating func decide(_ event: RoutingEvent) throws(DirectionError) -> LayerDirective {
    let layer = event.layer
    if recordsActions { actions.append(.routed) }
    // The cache forgets with the event which residents a copy ahead brought.
    let prefetched = cache.prefetched(ofLayer: layer)
    let outcome = observe(event)
    sortByWorth(layer)
    let layerCase = makeCase(layer)
    countActivated(layerCase, outcome, layer)
    if system.streamsPrefill {
      streaming.ahead = linkAhead(of: layer)
      streaming.schedule(layerCase, into: &plan)
    } else {
      scheduler.schedule(layerCase, into: &plan)
    }
    if checksPlans { try checkPlan(layerCase, layer) }
    countPlan(layerCase, layer, prefetched: prefetched)
    judgePrefetches(layerCase, layer)
    cancelForgone(layer)
    prefetchAhead(event)
    runningLayer = layer
    running = RunningPlan(linkFree: layerCase.linkFree)
    var directive = LayerDirective(
      step: step, phase: phase, layer: layer, tokens: tokens, start: now, layerCase: layerCase,
      plan: plan)
    for index in activated where ring.holds(ExpertID(layer: layer, index: index)) {
      directive.inRing.append(index)
    }
    takeOperations(layerCase, layer)
    prepareAdmission(layer)
    listCopies(&directive)
    return directive
  }

  // The cache learns from the event; where slots move between layers, somebody may lose one by it.
  private mutating func observe(_ event: RoutingEvent) -> EventOutcome {
    guard system.movesSlots, recordsActions else { return cache.observe(event) }
    let before = (0..<layerCount).map { cache.residents(ofLayer: $0) }
    let outcome = cache.observe(event)
    for layer in 0..<layerCount {
      before[layer].forEach { index in
        let expert = ExpertID(layer: layer, index: index)
        if !cache.isResident(expert) { note(.evicted(expert)) }
      }
    }
    return outcome
  }

  // Misses of equal load are all the same to a plan, and it copies the last of them first; but a
  // copied one may stay. So the one that is most likely to be needed again comes last.
  private mutating func sortByWorth(_ layer: Int) {
    guard system.scheduler == .hybrimoe, system.eviction != nil, phase == .decode else { return }
    let learned = cache.activationProbabilities(ofLayer: layer)
    for index in activated { worth[index] = learned[index] }
    activated.sort { (worth[$0], $1) < (worth[$1], $0) }
  }

  // What is resident, what is on its way, and how long the link is still busy with that.
  private mutating func makeCase(_ layer: Int) -> LayerCase {
    cancelUnwanted(layer)
    var late: [ExpertID] = []
    for index in activated {
      let expert = ExpertID(layer: layer, index: index)
      guard queue.remainingBytes(of: expert) != nil else { continue }
      late.append(expert)
      queue.enqueue(expert, byteCount: lanes.linkBytes(ofLayer: layer), priority: .onDemand)
      ring.forget(expert)
      prefetch?.victims[expert] = nil
    }
    let layerCase = makeCase(layer, queue)
    guard !late.isEmpty, system.prefetching == .impact else { return layerCase }
    return withoutLate(late, layerCase, layer)
  }

  // A copy on its way holds up the link for the layer's other copies: where the layer would be done
  // earlier without it, its rest is not issued.
  private mutating func withoutLate(
    _ late: [ExpertID], _ layerCase: LayerCase, _ layer: Int
  ) -> LayerCase {
    guard var state = prefetch else { return layerCase }
    prefetch = nil
    defer { prefetch = state }
    var best = layerCase
    var bestQueue = queue
    var bestFreed: [ExpertID] = []
    var bestEnd = state.source.makespan(of: layerCase)
    // The last ones hold up the link without having got far.
    for kept in (0..<late.count).reversed() {
      var trial = queue
      let freed = trial.cancel(.onDemand) { late[kept...].contains($0) }
      let other = makeCase(layer, trial)
      let end = state.source.makespan(of: other)
      guard end < bestEnd - 1e-6 else { continue }
      bestEnd = end
      best = other
      bestQueue = trial
      bestFreed = freed
    }
    queue = bestQueue
    for expert in bestFreed { note(.abandoned(expert)) }
    return best
  }

  // A late copy whose expert the plan gives to the CPU is waited for by nobody: unless most of it is
  // there, its rest is not issued.
  private mutating func cancelForgone(_ layer: Int) {
    let bytes = lanes.linkBytes(ofLayer: layer)
    for operation in plan.operations where operation.lane == .cpu {
      guard case .expert(let index) = operation.subject else { continue }
      let expert = ExpertID(layer: layer, index: index)
      guard let remaining = queue.remainingBytes(of: expert), 2 * remaining > bytes else {
        continue
      }
      giveUp(.onDemand) { $0 == expert }
    }
  }

  private func makeCase(_ layer: Int, _ queue: TransferQueue) -> LayerCase {
    let speed = speed(whileCPUReads: true)
    var layerCase = LayerCase(phase: phase, experts: [], costs: costs[layer])
    layerCase.experts.reserveCapacity(activated.count)
    for index in activated {
      let expert = ExpertID(layer: layer, index: index)
      var residency = Residency.missing
      if cache.isResident(expert) || ring.holds(expert) {
        residency = .resident
      } else if let arrival = queue.arrival(of: expert, at: now, speed: speed) {
        residency = .arriving(at: arrival - now)
      }
      layerCase.experts.append(
        ActivatedExpert(index: index, load: loads[index], residency: residency))
    }
    layerCase.linkFree = max(
      0, queue.freeTime(after: now, speed: speed, classes: .onDemand ... .onDemand) - now)
    return layerCase
  }

  // What the link can carry for the layers ahead while this one runs.
  private func linkAhead(of layer: Int) -> StreamingScheduler.Ahead {
    let next = layer + 1
    guard next < layerCount else { return .init(room: 0, gap: 0) }
    let gap = lanes.attentionMicroseconds(layer: next, tokens: tokens, context: context)
    let copy = costs[next].linkPerExpert
    if phase == .prefill { return .init(room: Double(ring.capacity) * copy, gap: gap) }
    // In decode, link time is worth what the copies gain that wait for it.
    guard let waiting = prefetch?.waitingGain, copy > 0 else { return .init(room: 0, gap: 0) }
    return .init(
      room: Double(PrefetchState.distances) * copy, gap: gap, price: min(0.9, waiting / copy))
  }

  private func checkPlan(_ layerCase: LayerCase, _ layer: Int) throws(DirectionError) {
    let violations = PlanValidator.violations(of: plan, in: layerCase)
    guard let first = violations.first else { return }
    throw .invalidPlan(
      scheduler: system.scheduler.rawValue, step: step, layer: layer, first.description)
  }

  // The plan's operations are counted, and its copies queued: behind what was on its way.
  private mutating func takeOperations(_ layerCase: LayerCase, _ layer: Int) {
    let bytes = lanes.linkBytes(ofLayer: layer)
    for operation in plan.operations {
      count(operation, layerCase, layer)
      guard case .expert(let index) = operation.subject else { continue }
      switch operation.lane {
      case .cpu: running.cpuEnd = max(running.cpuEnd, operation.end)
      case .gpu: break
      case .link:
        running.lastCopy = max(running.lastCopy, operation.end)
        queue.enqueue(ExpertID(layer: layer, index: index), byteCount: bytes, priority: .onDemand)
      }
    }
  }

  // What arrives while the layer runs, and which of it stays.
  private func listCopies(_ directive: inout LayerDirective) {
    for expert in directive.layerCase.experts where expert.residency != .resident {
      guard case .arriving = expert.residency,
        plan.operations.contains(where: { $0.lane == .gpu && $0.subject == .expert(expert.index) })
      else { continue }
      directive.late.append(copy(expert.index))
    }
    for operation in plan.operations where operation.lane == .link {
      guard case .expert(let index) = operation.subject else { continue }
      directive.copies.append(copy(index))
    }
  }

  private func copy(_ index: Int) -> DirectedCopy {
    DirectedCopy(index: index, stays: running.mayStay.contains(index))
  }

  /// What remains to be decided when a layer's plan has been performed.
  mutating func finishLayer() {
    let layer = runningLayer
    if running.admitsAtEnd { admitCopied(layer) }
    if clock == .measured { releaseRingOfRunningLayer() }
    leaveRing(layer)
    for expert in arrived { note(.dropped(expert)) }
    arrived.removeAll(keepingCapacity: true)
    if system.fills, system.eviction != nil, phase == .decode { fillMisses(layer) }
  }
}
