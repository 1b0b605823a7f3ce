import ExpertCaching
import ExpertPrefetching
import ExpertScheduling
import Experts

// One MoE layer, from its routing to its end.
extension Simulator {
  mutating func runLayer(_ event: RoutingEvent) throws {
    let layer = event.layer
    runningLayer = layer
    defer { runningLayer = -1 }
    let outcome = cache.observe(event)
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
    try onPlan?(
      PlannedLayer(step: step, layer: layer, start: now, layerCase: layerCase, plan: plan))
    countPlan(layerCase, layer)
    judgePrefetches(layerCase, layer)
    cancelForgone(layerCase, layer)
    prefetchAhead(event)
    perform(layerCase, layer)
    admitCopied(layer)
    ring.leave(layer)
    if system.fills, system.eviction != nil, phase == .decode { fillMisses(layer) }
  }

  // What is resident, what is on its way, and how long the link is still busy with that.
  private mutating func makeCase(_ layer: Int) -> LayerCase {
    cancelUnwanted(layer)
    var late: [ExpertID] = []
    for index in activated {
      let expert = ExpertID(layer: layer, index: index)
      guard queue.remainingBytes(of: expert) != nil else { continue }
      late.append(expert)
      queue.enqueue(
        expert, byteCount: machine.footprints[layer].linkBytes, priority: .onDemand)
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
    var bestEnd = state.source.makespan(of: layerCase)
    // The last ones hold up the link without having got far.
    for kept in (0..<late.count).reversed() {
      var trial = queue
      trial.cancel(.onDemand) { late[kept...].contains($0) }
      let other = makeCase(layer, trial)
      let end = state.source.makespan(of: other)
      guard end < bestEnd - 1e-6 else { continue }
      bestEnd = end
      best = other
      bestQueue = trial
    }
    queue = bestQueue
    return best
  }

  // A late copy whose expert the plan gives to the CPU is waited for by nobody: unless most of it is
  // there, its rest is not issued.
  private mutating func cancelForgone(_ layerCase: LayerCase, _ layer: Int) {
    for operation in plan.operations where operation.lane == .cpu {
      guard case .expert(let index) = operation.subject else { continue }
      let expert = ExpertID(layer: layer, index: index)
      let bytes = machine.footprints[layer].linkBytes
      guard let remaining = queue.remainingBytes(of: expert), 2 * remaining > bytes else {
        continue
      }
      queue.cancel(.onDemand) { $0 == expert }
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
    guard next < machine.layerCount else { return .init(room: 0, gap: 0) }
    let gap = machine.attentionMicroseconds(layer: next, tokens: tokens, context: context)
    let copy = costs[next].linkPerExpert
    if phase == .prefill { return .init(room: Double(ring.capacity) * copy, gap: gap) }
    // In decode, link time is worth what the copies gain that wait for it.
    guard let waiting = prefetch?.waitingGain, copy > 0 else { return .init(room: 0, gap: 0) }
    return .init(
      room: Double(PrefetchState.distances) * copy, gap: gap, price: min(0.9, waiting / copy))
  }

  private func checkPlan(_ layerCase: LayerCase, _ layer: Int) throws(SimulationError) {
    let violations = PlanValidator.violations(of: plan, in: layerCase)
    guard let first = violations.first else { return }
    throw .invalidPlan(
      scheduler: system.scheduler.rawValue, step: step, layer: layer, first.description)
  }

  // Performs the plan: the link first carries what is on its way, then the plan's copies, then
  // whatever waits; all ends with the plan's makespan.
  private mutating func perform(_ layerCase: LayerCase, _ layer: Int) {
    var lastCopy = 0.0
    var cpuEnd = 0.0
    for operation in plan.operations {
      record(operation, layerCase, layer)
      guard case .expert(let index) = operation.subject else { continue }
      switch operation.lane {
      case .cpu: cpuEnd = max(cpuEnd, operation.end)
      case .gpu: break
      case .link:
        lastCopy = max(lastCopy, operation.end)
        queue.enqueue(
          ExpertID(layer: layer, index: index), byteCount: machine.footprints[layer].linkBytes,
          priority: .onDemand)
      }
    }
    let start = now
    playLink(
      until: start + min(layerCase.linkFree, plan.makespan), speed: speed(whileCPUReads: true))
    playLink(until: start + lastCopy, speed: speed(whileCPUReads: cpuEnd > 0))
    freeRing(layer, start: start, cpuEnd: cpuEnd)
    now = start + plan.makespan
    playLink(until: now, cpuBusyUntil: start + cpuEnd)
  }

  // The ring's slots are free as soon as the GPU has computed the experts in them; copies for the
  // next layer may then follow.
  private mutating func freeRing(_ layer: Int, start: Double, cpuEnd: Double) {
    guard phase == .prefill, prefetch != nil else { return }
    var last = 0.0
    for operation in plan.operations where operation.lane == .gpu {
      guard case .expert(let index) = operation.subject,
        ring.holds(ExpertID(layer: layer, index: index))
      else { continue }
      last = max(last, operation.end)
    }
    playLink(until: start + last, cpuBusyUntil: start + cpuEnd)
    ring.leave(layer)
    streamAhead(of: layer)
  }

  private mutating func record(_ operation: Operation, _ layerCase: LayerCase, _ layer: Int) {
    let duration = operation.end - operation.start
    var kind = Timeline.Kind.shared
    var expert: Int?
    if case .expert(let index) = operation.subject {
      expert = index
      let isResident =
        layerCase.experts.first { $0.index == index }?.residency == .resident
      kind =
        switch operation.lane {
        case .cpu: isResident ? .stolen : .missOnCPU
        case .gpu: isResident ? .hit : .missOnGPU
        case .link: .onDemandCopy
        }
      if kind == .stolen { report[phase].stolen += 1 }
    }
    switch operation.lane {
    case .cpu:
      report[phase].cpuBusyMicroseconds += duration
      report[phase].onCPU += 1
    case .gpu: report[phase].gpuBusyMicroseconds += duration
    // The queue carries it, and counts it there.
    case .link: report[phase].copiedOnDemand += 1
    }
    // The link's spans are the pieces that the queue carries.
    guard operation.lane != .link else { return }
    timeline?.append(
      .init(
        kind, on: operation.lane, start: now + operation.start, end: now + operation.end,
        step: step, phase: phase, layer: layer, expert: expert))
  }

  private mutating func countActivated(
    _ layerCase: LayerCase, _ outcome: EventOutcome, _ layer: Int
  ) {
    report[phase].activated += outcome.activated
    report[phase].hits += outcome.hits
    report[phase].prefetched += outcome.prefetched
    for expert in layerCase.experts {
      if ring.holds(ExpertID(layer: layer, index: expert.index)) { report[phase].prefetched += 1 }
      if case .arriving = expert.residency { report[phase].late += 1 }
    }
  }

  private mutating func countPlan(_ layerCase: LayerCase, _ layer: Int) {
    report[phase].plans += 1
    report[phase].makespanMicroseconds += plan.makespan
    // Rules that prove nothing leave the bound at 0; the general one then stands for it.
    report[phase].boundMicroseconds +=
      plan.lowerBound > 0 ? plan.lowerBound : LowerBound.of(layerCase)
  }
}
