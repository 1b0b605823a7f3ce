import Devices
import Experts

// The GPU lane: residents at once, then each copy when it has arrived.
extension HybridExecutor {
  /// Submits the plan's launches, and slots for its copies.
  func launch(_ work: LayerWork) throws {
    lastMark = nil
    let ledger = residency.slots.ledger
    let ready = work.residents.filter { ledger.isResident($0) }
    let arrivals = work.arrivals
    try launchReady(ready, work.layer, isHit: true)
    var spare = SpareSlots()
    var pending: [Upload] = []
    // A resident that has no slot, because copies took them all, is brought now.
    let lost = work.residents.filter { !ready.contains($0) }
    // With the measured clock the link's thread issues copies piece by piece; but of these it has been
    // told already.
    let issuesNow =
      clock == .modelled || !lost.isEmpty || arrivals.contains { residency.isWaiting($0) }
    for expert in lost + arrivals {
      if !residency.slots.ledger.isResident(expert) {
        let upload = try slot(for: expert, of: work, from: &spare)
        if waitsForMemory { pending.append(upload) } else { try residency.complete(upload) }
        spare.add(upload, isKept: director.isResident(expert), mayStay: work.mayStay(expert))
      }
      try launchReady([expert], work.layer, isHit: false)
    }
    if issuesNow { for upload in pending { try residency.complete(upload) } }
    lastGPUEvent = lastMark?.event
  }

  /// Launched copies whose slots others may have, those that surely do not stay first.
  private struct SpareSlots {
    private var leaving: [Upload] = []
    private var perhapsStaying: [Upload] = []

    mutating func add(_ upload: Upload, isKept: Bool, mayStay: Bool) {
      if mayStay { perhapsStaying.append(upload) } else if !isKept { leaving.append(upload) }
    }

    mutating func takeLeaving() -> Upload? { leaving.isEmpty ? nil : leaving.removeFirst() }
    // Whoever has a slot of the cache by now is in front only by chance, and is brought again when used.
    mutating func takeAny() -> Upload? {
      perhapsStaying.isEmpty ? nil : perhapsStaying.removeFirst()
    }
  }

  // A free slot, or that of a copy that has been launched and does not stay; else one that nobody needs
  // now; else that of a launched copy that would have stayed.
  private func slot(
    for expert: ExpertID, of work: LayerWork, from spare: inout SpareSlots
  ) throws -> Upload {
    while true {
      if let upload = try residency.bring(expert) { return upload }
      if let leaving = spare.takeLeaving() {
        residency.reuseSlot(of: leaving)
      } else if residency.preempt(sparing: { $0.layer == work.layer && work.usesOnGPU($0) }) {
        continue
      } else if let other = spare.takeAny() {
        residency.reuseSlot(of: other)
      } else {
        throw HybridError.noSlot(experts: work.arrivals.count)
      }
    }
  }

  /// Launches experts that have slots, and marks the slots as read.
  private func launchReady(
    _ experts: [ExpertID], _ layer: Int, isHit: Bool
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
      residency.launched(expert) { director.isResident($0) }
    }
  }
}
