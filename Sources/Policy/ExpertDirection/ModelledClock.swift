import ExpertPrefetching
import Experts

// Time by the cost model: the dense part, the plan, and the link beside them.
extension ExpertDirector {
  /// Performs the running layer's plan on the modelled lanes: the link first carries what is on its
  /// way, then the plan's copies, then whatever waits; all ends with the plan's makespan.
  ///
  /// `actions` then holds the pieces that the link has carried and what they meant. Only with the
  /// modelled clock; `endLayer` follows.
  public mutating func playPlan() {
    precondition(clock == .modelled && runningLayer >= 0, "no plan to play by the cost model")
    actions.removeAll(keepingCapacity: true)
    let start = now
    let cpuEnd = start + running.cpuEnd
    playLink(
      until: start + min(running.linkFree, plan.makespan), speed: speed(whileCPUReads: true))
    playLink(until: start + running.lastCopy, speed: speed(whileCPUReads: running.cpuEnd > 0))
    if phase == .prefill, prefetch != nil {
      // The ring's slots are free as soon as the GPU has computed the experts in them; copies for the
      // next layer may then follow.
      playLink(until: start + endOfRingOnGPU(), cpuBusyUntil: cpuEnd)
      leaveRing(runningLayer)
      streamAhead(of: runningLayer)
    }
    now = start + plan.makespan
    playLink(until: now, cpuBusyUntil: cpuEnd)
  }

  private func endOfRingOnGPU() -> Double {
    var last = 0.0
    for operation in plan.operations where operation.lane == .gpu {
      guard case .expert(let index) = operation.subject,
        ring.holds(ExpertID(layer: runningLayer, index: index))
      else { continue }
      last = max(last, operation.end)
    }
    return last
  }

  mutating func beginStep(_ event: RoutingEvent, at time: Double?) {
    step = event.step
    phase = event.phase
    tokens = event.ids.count / activatedCount
    context += tokens
    hasClosedStep = false
    stepStart = now
    refreshCosts()
    passDense(
      lanes.denseLayersMicroseconds(tokens: tokens, context: context), layer: nil, until: time)
  }

  mutating func closeStep(at time: Double?) {
    guard step >= 0, !hasClosedStep else { return }
    passDense(lanes.outputMicroseconds, layer: nil, until: time)
    if clock == .measured, let time { now = max(now, time) }
    report[phase].stepMicroseconds.append(now - stepStart)
    report[phase].tokens += tokens
    emptyRing()
    hasClosedStep = true
  }

  mutating func passAttention(layer: Int, until time: Double?) {
    passDense(
      lanes.attentionMicroseconds(layer: layer, tokens: tokens, context: context), layer: layer,
      until: time)
    guard let time, time > now else { return }
    now = time
    if clock == .modelled { playLink(until: now, cpuBusyUntil: 0) }
  }

  // Dense work on the GPU, while the link goes on. Where the caller says what time it is, it takes
  // as long as it takes; what was predicted is counted all the same.
  private mutating func passDense(_ duration: Double, layer: Int?, until time: Double?) {
    guard duration > 0 else { return }
    timeline?.append(
      .init(
        .dense, on: .gpu, start: now, end: now + duration, step: step, phase: phase, layer: layer))
    report[phase].gpuBusyMicroseconds += duration
    report[phase].denseMicroseconds += duration
    guard clock == .modelled, time == nil else { return }
    now += duration
    playLink(until: now, cpuBusyUntil: 0)
  }

  func speed(whileCPUReads: Bool) -> LinkSpeed {
    LinkSpeed(lanes.link, whileCPUReads: whileCPUReads)
  }

  /// Lets the link work: slower until the CPU has ended, then at its full speed.
  private mutating func playLink(until end: Double, cpuBusyUntil: Double) {
    if cpuBusyUntil > linkClock {
      playLink(until: min(end, cpuBusyUntil), speed: speed(whileCPUReads: true))
    }
    playLink(until: end, speed: speed(whileCPUReads: false))
  }

  private mutating func playLink(until end: Double, speed: LinkSpeed) {
    guard end > linkClock else { return }
    defer { linkClock = end }
    guard !queue.isEmpty else { return }
    var played = carried
    carried = []
    played.removeAll(keepingCapacity: true)
    queue.play(from: linkClock, to: end, speed: speed) { piece, start, end, completion in
      played.append((CarriedPiece(piece: piece, start: start, end: end), completion))
    }
    for (piece, completion) in played {
      if recordsActions { actions.append(.carried(piece)) }
      take(piece, completion)
    }
    carried = played
  }
}
