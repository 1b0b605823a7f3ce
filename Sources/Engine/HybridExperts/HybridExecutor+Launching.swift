import Devices
import Experts

// The GPU lane: residents at once, then each copy when it has arrived.
extension HybridExecutor {
  func launch(_ work: LayerWork) throws {
    let layer = work.layer
    lastMark = nil
    // Kept while slots are handed out below: what the director has given up in favour of a copy of this
    // very plan is still to be read.
    let ready = work.residents.filter { residency.slots.ledger.slot(of: $0) != nil }
    let underWay = work.arrivals.map(\.expert).filter {
      residency.slots.ledger.slot(of: $0) != nil
    }
    for expert in ready + underWay { residency.retain(expert) }
    try launchReady(ready, layer)
    var spent: [Upload] = []
    var pending: [Upload] = []
    // A resident that never got its slot is brought now.
    let lost = work.residents.filter { !ready.contains($0) }.map { (expert: $0, stays: true) }
    // With the measured clock the link's thread issues copies piece by piece; but of these it has been
    // told already.
    let issuesNow =
      clock == .modelled || !lost.isEmpty
      || work.arrivals.contains { residency.isWaiting($0.expert) }
    for (expert, stays) in lost + work.arrivals {
      if residency.slots.ledger.isResident(expert) {
        try launchReady(
          [expert], layer, isHit: false, isRetained: underWay.contains(expert))
        continue
      }
      let upload = try slot(for: expert, of: work, reusing: &spent)
      if waitsForMemory { pending.append(upload) } else { try residency.complete(upload) }
      try launchReady(
        [expert], layer, isHit: false, isRetained: underWay.contains(expert))
      if !stays { spent.append(upload) }
    }
    if issuesNow { for upload in pending { try residency.complete(upload) } }
    lastGPUEvent = lastMark?.event
  }

  // A free slot, or that of a copy that has been launched and does not stay; else one that nobody needs
  // now.
  private func slot(
    for expert: ExpertID, of work: LayerWork, reusing spent: inout [Upload]
  ) throws -> Upload {
    while true {
      if let upload = try residency.bring(expert) { return upload }
      if !spent.isEmpty {
        residency.reuseSlot(of: spent.removeFirst())
      } else if !residency.preempt(sparing: { $0.layer == work.layer && work.usesOnGPU($0) }) {
        throw HybridError.noSlot(experts: work.arrivals.count)
      }
    }
  }

  /// Launches experts that have slots, and marks the slots as read.
  private func launchReady(
    _ experts: [ExpertID], _ layer: Int, isHit: Bool = true, isRetained: Bool = true
  ) throws {
    guard !experts.isEmpty else { return }
    let slots = residency.slots
    var launched: [(expert: Int, slot: UInt64, rows: Range<Int>)] = []
    for expert in experts {
      guard let slot = slots.ledger.slot(of: expert) else {
        preconditionFailure("an expert is launched from its slot")
      }
      try slots.waitForArrival(in: slot, on: gpu.stream, waitsForMemory: waitsForMemory)
      launched.append((expert.index, slots.address(of: slot), groups.rows[expert.index]))
    }
    let begin = try marks.mark(gpu.stream)
    try gpu.launch(layer: layer, launched)
    let mark = try marks.mark(gpu.stream)
    lastMark = mark
    recorder.launched(
      experts.map { ($0.index, isHit ? .hit : .missOnGPU) }, from: begin, to: mark)
    for expert in experts {
      if let slot = slots.ledger.slot(of: expert) { slots.noteRead(of: slot, mark) }
      if isRetained { residency.release(expert) }
    }
  }
}
