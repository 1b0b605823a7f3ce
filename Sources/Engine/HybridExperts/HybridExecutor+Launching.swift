import Devices
import Experts

// The GPU lane: residents at once, then each group of copies when it has arrived.
extension HybridExecutor {
  /// Submits the plan's launches, and slots for its copies.
  func launch(_ work: LayerWork) throws {
    lastMark = nil
    let slots = residency.slots
    let ready = work.residents.filter { slots.ledger.isResident($0) }
    var lane = LaunchLane(work)
    let there = work.arrivals.filter { slots.isThere($0) }
    try launchReady(ready + there, of: work)
    // A resident that has no slot, because copies took them all, is brought now.
    let lost = work.residents.filter { !ready.contains($0) }
    // With the measured clock the link's thread issues copies piece by piece; but of these it has been
    // told already.
    let issuesNow =
      clock == .modelled || !lost.isEmpty || work.arrivals.contains { residency.isWaiting($0) }
    residency.holdWaiting()
    for expert in lost { try launch([expert], in: &lane) }
    for group in work.arrivalGroups(there: there) { try launch(group, in: &lane) }
    if issuesNow { try completeAll(in: &lane) }
    try residency.letWaiting()
    lastGPUEvent = lastMark?.event
  }

  /// What is under way while a plan's launches are submitted.
  private struct LaunchLane {
    let work: LayerWork
    /// Experts with slots whose launch is still to be submitted, and the copies among them.
    var group: [ExpertID] = []
    var uploads: [Upload] = []
    /// Copies that are still to be issued, and experts that were launched since the last were.
    var pending: [Upload] = []
    var launchedCount = 0
    var spare = SpareSlots()

    init(_ work: LayerWork) { self.work = work }
  }

  // In one launch, unless their slots have to be those of each other.
  private func launch(_ experts: [ExpertID], in lane: inout LaunchLane) throws {
    for expert in experts {
      // A stream takes so much and no more behind a wait whose copy is not issued, and the link's thread
      // cannot issue it while launches are being submitted.
      if lane.launchedCount == arrivalLimit { try completeAll(in: &lane) }
      lane.launchedCount += 1
      if !residency.slots.ledger.isResident(expert) {
        let upload = try slot(for: expert, in: &lane)
        if waitsForMemory { lane.pending.append(upload) } else { try residency.complete(upload) }
        lane.uploads.append(upload)
      }
      lane.group.append(expert)
    }
    try launchGroup(in: &lane)
  }

  private func launchGroup(in lane: inout LaunchLane) throws {
    try launchReady(lane.group, of: lane.work)
    for upload in lane.uploads {
      lane.spare.add(
        upload, isKept: director.isResident(upload.expert),
        mayStay: lane.work.mayStay(upload.expert))
    }
    lane.group.removeAll(keepingCapacity: true)
    lane.uploads.removeAll(keepingCapacity: true)
  }

  private func completeAll(in lane: inout LaunchLane) throws {
    for upload in lane.pending { try residency.complete(upload) }
    lane.pending.removeAll(keepingCapacity: true)
    lane.launchedCount = 0
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

  // A free slot, or that of a copy that has been launched and does not stay, for which the group so far
  // is launched where it must be; else one that nobody needs now; else that of a launched copy that would
  // have stayed.
  private func slot(for expert: ExpertID, in lane: inout LaunchLane) throws -> Upload {
    let work = lane.work
    while true {
      if let upload = try residency.bring(expert) { return upload }
      if let leaving = lane.spare.takeLeaving() {
        residency.reuseSlot(of: leaving)
      } else if !lane.group.isEmpty {
        try launchGroup(in: &lane)
      } else if residency.preempt(sparing: { $0.layer == work.layer && work.usesOnGPU($0) }) {
        continue
      } else if let other = lane.spare.takeAny() {
        residency.reuseSlot(of: other)
      } else {
        throw HybridError.noSlot(experts: work.arrivals.count)
      }
    }
  }

  /// Launches experts that have slots, and marks the slots as read.
  private func launchReady(_ experts: [ExpertID], of work: LayerWork) throws {
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
    try gpu.launch(layer: work.layer, launched)
    let mark = try marks.mark(gpu.stream)
    lastMark = mark
    recorder.launched(
      experts.map { ($0.index, work.residents.contains($0) ? .hit : .missOnGPU) }, from: begin,
      to: mark)
    for expert in experts {
      if let slot = slots.ledger.slot(of: expert) { slots.noteRead(of: slot, mark) }
      residency.launched(expert) { director.isResident($0) }
    }
  }
}
