import ExpertCaching
import ExpertScheduling
import Experts

// What the decisions come to: the report, and the timeline of what is predicted.
extension ExpertDirector {
  mutating func count(_ operation: Operation, _ layerCase: LayerCase, _ layer: Int) {
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
    // The modelled link's spans are the pieces that the queue carries.
    guard operation.lane != .link || clock == .measured else { return }
    timeline?.append(
      .init(
        kind, on: operation.lane, start: now + operation.start, end: now + operation.end,
        step: step, phase: phase, layer: layer, expert: expert))
  }

  mutating func countActivated(_ layerCase: LayerCase, _ outcome: EventOutcome, _ layer: Int) {
    report[phase].activated += outcome.activated
    report[phase].hits += outcome.hits
    report[phase].prefetched += outcome.prefetched
    for expert in layerCase.experts {
      if ring.holds(ExpertID(layer: layer, index: expert.index)) { report[phase].prefetched += 1 }
      if case .arriving = expert.residency { report[phase].late += 1 }
    }
  }

  mutating func countPlan(_ layerCase: LayerCase, _ layer: Int, prefetched: ExpertSet) {
    report[phase].plans += 1
    report[phase].computed.count(layerCase, plan) { index in
      prefetched.contains(index) || ring.holds(ExpertID(layer: layer, index: index))
    }
    report[phase].makespanMicroseconds += plan.makespan
    // Rules that prove nothing leave the bound at 0; the general one then stands for it.
    report[phase].boundMicroseconds +=
      plan.lowerBound > 0 ? plan.lowerBound : LowerBound.of(layerCase)
  }

  /// Counts a piece that is through, and what its end means.
  mutating func count(_ carried: CarriedPiece) {
    report[phase].linkBytes += carried.piece.byteCount
    report[phase].linkBusyMicroseconds += carried.end - carried.start
    // With the measured clock the plan's copies stand in the timeline as they were predicted.
    guard clock == .modelled || carried.piece.priority != .onDemand else { return }
    let kind: Timeline.Kind =
      switch carried.piece.priority {
      case .onDemand: .onDemandCopy
      case .prefetch: .prefetchCopy
      case .fill: .fillCopy
      }
    timeline?.append(
      .init(
        kind, on: .link, start: carried.start, end: carried.end, step: step, phase: phase,
        layer: carried.piece.expert.layer, expert: carried.piece.expert.index))
  }
}
