import ExpertDirection
import ExpertPrefetching
import Experts

/// Follows the director's word about who is where on the GPU, in slots and on the upload stream.
///
/// The director knows residents, copies and a ring, but no memory. Here each expert that it takes to be
/// on the GPU, or on its way there, has a slot; whatever it gives up loses its slot, at once or, where a
/// running plan still uses it, when the plan's launches have been submitted.
///
/// A copy in the background that finds no free slot waits for one: its bytes follow when its victim has
/// gone. So any number of slots serves any decisions, and only times differ.
final class ExpertResidency {
  let slots: ExpertSlots
  private let uploader: Uploader
  private let weights: HostExperts
  private let linkBytes: [Int]
  /// Copies into slots that are not whole yet.
  private var uploads: [ExpertID: Upload] = [:]
  /// How far the link would be with copies that have no slot yet.
  private var waiting: [ExpertID: Int] = [:]
  /// Given up by the director, and still used by the running plan.
  private var leaving: [ExpertID] = []
  /// Experts of the running plan whose launches are still to be submitted.
  private var inUse: Set<ExpertID> = []
  /// Copies of the running plan whose slots others have taken since.
  private var passed: Set<ExpertID> = []
  /// Copies that launches wait for and that are not all issued. Until they are, no other copy may begin:
  /// its slot could be one that is read behind such a launch.
  private var awaitedCount = 0
  /// Copies that had to wait for a slot, counted for the statistics.
  private(set) var waitedForSlot = 0
  /// Experts that lost their slots to copies on demand.
  private(set) var preempted = 0
  /// Whether experts are packed here when their copies begin, on the thread team.
  var packsExperts = true
  /// Told of every copy whose last byte has been issued.
  var onWhole: ((Upload) -> Void)?

  /// - Parameter linkBytes: what the director takes an expert of each layer to have: [layers].
  init(slots: ExpertSlots, uploader: Uploader, weights: HostExperts, linkBytes: [Int]) {
    self.slots = slots
    self.uploader = uploader
    self.weights = weights
    self.linkBytes = linkBytes
  }

  /// Puts an expert into a free slot before the first step.
  /// - Returns: whether there was one.
  func place(_ expert: ExpertID) throws -> Bool {
    guard let upload = try begin(expert) else { return false }
    try issue(upload, through: linkBytes[expert.layer])
    return true
  }

  // MARK: The director's word

  /// Performs actions in their order.
  /// - Parameter isInCache: whether the director's cache has a slot for an expert after all of them.
  func perform(
    _ actions: [DirectedAction], isInCache: (ExpertID) -> Bool
  ) throws {
    for action in actions {
      switch action {
      case .carried(let carried):
        let piece = carried.piece
        try carry(piece.expert, through: piece.offset + piece.byteCount, piece.priority)
      case .routed: break
      case .changed(let change): try perform(change, isInCache)
      }
    }
  }

  private func perform(
    _ change: ResidencyChange, _ isInCache: (ExpertID) -> Bool
  ) throws {
    switch change {
    case .inserted(_, let victim):
      if let victim { giveUp(victim) }
      try serveWaiting()
    case .evicted(let expert): giveUp(expert)
    case .ringLeft(let expert), .dropped(let expert), .abandoned(let expert):
      if !isInCache(expert) { giveUp(expert) }
      try serveWaiting()
    case .arrived, .ringTaken: break
    }
  }

  /// The link brings an expert's bytes up to here.
  func carry(
    _ expert: ExpertID, through end: Int, _ priority: TransferQueue.Priority
  ) throws {
    let known = uploads[expert]
    guard known != nil || slots.ledger.slot(of: expert) == nil && !passed.contains(expert) else {
      return
    }
    // A piece may have been handed out just before launches were submitted that wait for others.
    let mayBegin = awaitedCount == 0
    if let upload = try known ?? (mayBegin ? begin(expert) : nil) {
      waiting[expert] = nil
      upload.priority = priority
      return try issue(upload, through: end)
    }
    if waiting.updateValue(end, forKey: expert) == nil { waitedForSlot += 1 }
  }

  // Whoever waits longest is not known and does not matter: all that wait are served while slots last.
  private func serveWaiting() throws {
    guard awaitedCount == 0, !waiting.isEmpty, slots.ledger.freeCount > 0 else { return }
    for (expert, end) in waiting.sorted(by: { $0.key < $1.key }) {
      guard let upload = try begin(expert) else { return }
      waiting[expert] = nil
      try issue(upload, through: end)
    }
  }

  private func giveUp(_ expert: ExpertID) {
    waiting[expert] = nil
    guard let slot = slots.ledger.slot(of: expert) else { return }
    if slots.ledger.isRetained(slot) { return leaving.append(expert) }
    // What a launch waits for goes on, and is overwritten when that has run.
    if uploads[expert]?.isAwaited != true { uploads[expert] = nil }
    slots.drop(expert)
  }

  // MARK: The running plan

  /// A plan begins that computes these experts on the GPU: until their launches are submitted they keep
  /// the slots that they have or get, whatever the director says meanwhile.
  func planBegins(using experts: [ExpertID]) {
    passed.removeAll(keepingCapacity: true)
    inUse = Set(experts)
    for expert in experts where slots.ledger.slot(of: expert) != nil { slots.retain(expert) }
  }

  /// All launches of the running plan that read an expert are submitted.
  /// - Parameter isInCache: whether the director's cache has a slot for an expert.
  func launched(_ expert: ExpertID, isInCache: (ExpertID) -> Bool) {
    slots.release(expert)
    inUse.remove(expert)
    guard let index = leaving.firstIndex(of: expert) else { return }
    leaving.remove(at: index)
    if !isInCache(expert) { giveUp(expert) }
  }

  /// A slot for a copy on demand; `nil` where none is free.
  func bring(_ expert: ExpertID) throws -> Upload? {
    waiting[expert] = nil
    guard let upload = try uploads[expert] ?? begin(expert) else { return nil }
    if !upload.isAwaited {
      upload.isAwaited = true
      awaitedCount += 1
    }
    return upload
  }

  /// Lets no copy begin that launches do not wait for, until all launches of the plan are submitted: it
  /// would take a slot from one of these.
  func holdWaiting() { awaitedCount += 1 }

  /// Ends what `holdWaiting` began.
  func letWaiting() throws {
    awaitedCount -= 1
    try serveWaiting()
  }

  /// Gives the slot of a copy on demand to the next one: its launch has been submitted and nobody keeps
  /// it. Its bytes, which may not have been issued yet, go there all the same, before the next one's.
  func reuseSlot(of upload: Upload) {
    guard slots.ledger.slot(of: upload.expert) == upload.claim.slot else { return }
    slots.drop(upload.expert)
    passed.insert(upload.expert)
  }

  /// Whether a copy has got on by the director's word and has no slot yet.
  func isWaiting(_ expert: ExpertID) -> Bool { waiting[expert] != nil }

  /// Frees a slot for a copy on demand where copies in the background hold all of them: the one that has
  /// got least far loses its slot and waits for another; else a resident that the running plan does not
  /// use, which is brought again when there is room, or when it is used.
  /// - Parameter isUsed: whether the running plan has launches of an expert, submitted or to come.
  /// - Returns: whether one could be freed.
  func preempt(sparing isUsed: (ExpertID) -> Bool) -> Bool {
    let background = uploads.values.filter {
      slots.ledger.slot(of: $0.expert) == $0.claim.slot && !isUsed($0.expert)
    }
    if let least = background.min(by: {
      ($0.issuedBytes, $0.expert) < ($1.issuedBytes, $1.expert)
    }) {
      uploads[least.expert] = nil
      slots.drop(least.expert)
      waiting[least.expert] = least.reach
      preempted += 1
      return true
    }
    guard let last = slots.ledger.experts.filter({ !isUsed($0) }).max() else { return false }
    slots.drop(last)
    waiting[last] = linkBytes[last.layer]
    preempted += 1
    return true
  }

  /// Issues all that is left of a copy.
  func complete(_ upload: Upload) throws {
    if !upload.isWhole { upload.priority = .onDemand }
    try issue(upload, through: linkBytes[upload.expert.layer])
  }

  private func begin(_ expert: ExpertID) throws -> Upload? {
    guard let claim = slots.claim(for: expert) else { return nil }
    if packsExperts { weights.pack(CollectionOfOne(expert)) }
    if inUse.contains(expert) { slots.retain(expert) }
    let upload = Upload(expert, claim)
    uploads[expert] = upload
    return upload
  }

  private func issue(_ upload: Upload, through end: Int) throws {
    let expert = upload.expert
    upload.reach = max(upload.reach, end)
    guard try uploader.issue(upload, through: end, of: linkBytes[expert.layer]) else { return }
    if uploads[expert] === upload { uploads[expert] = nil }
    onWhole?(upload)
    if slots.ledger.slot(of: expert) == upload.claim.slot,
      slots.ledger.content(of: upload.claim.slot) == .incoming(expert)
    {
      slots.publish(expert)
    }
    if upload.isAwaited {
      awaitedCount -= 1
      try serveWaiting()
    }
  }

  // MARK: From the beginning

  /// Empties all slots, between steps: no plan retains any, and none has to leave.
  func clear() {
    uploads.removeAll()
    waiting.removeAll()
    awaitedCount = 0
    for expert in Array(slots.ledger.experts) { slots.drop(expert) }
  }

  // MARK: Failure

  /// Empties the slots of experts that the director does not count on.
  func keep(_ isKept: (ExpertID) -> Bool) {
    for expert in Array(slots.ledger.experts) where !isKept(expert) {
      uploads[expert] = nil
      slots.drop(expert)
    }
  }

  /// Raises the arrivals of all copies that will not be completed, so that nothing waits for them, and
  /// forgets them with all that the running plan retains.
  func abandon(_ device: (UInt32, Int) -> Void) {
    slots.releaseAll()
    inUse.removeAll()
    for (expert, upload) in uploads {
      device(upload.claim.arrival, upload.claim.slot)
      if slots.ledger.slot(of: expert) == upload.claim.slot { slots.drop(expert) }
    }
    uploads.removeAll()
    waiting.removeAll()
    for expert in leaving { giveUp(expert) }
    leaving.removeAll()
    awaitedCount = 0
  }
}
