import EmulatedDevice
import ExpertDirection
import ExpertPrefetching
import ExpertScheduling
import Experts
import Testing

@testable import HybridExperts

@Suite struct ResidencyRuleTests {
  private let served: ServedLayers
  private let resident = ExpertID(layer: 0, index: 0)
  private var residency: ExpertResidency { served.executor.residency }

  init() throws {
    var system = SystemDescription(.adapmoe, cacheRatio: 0.25)
    system.cacheSlots = 1
    system.prefetching = .off
    served = try ServedLayers(MadeExperts(layerCount: 1), .init(), system: system)
  }

  /// - Parameter end: as many bytes as the expert has, where it is not said.
  private func carry(
    _ index: Int, through end: Int? = nil, _ priority: TransferQueue.Priority
  ) throws {
    let bytes = try MadeExperts().costs().layers[0].footprint.linkBytes
    try residency.carry(ExpertID(layer: 0, index: index), through: end ?? bytes, priority)
  }

  private func slot(_ index: Int) -> Int? {
    residency.slots.ledger.slot(of: ExpertID(layer: 0, index: index))
  }

  @Test func `a victim that the running plan reads keeps its slot until its launch is made`() throws
  {
    let slot = try #require(residency.slots.ledger.slot(of: resident))
    residency.planBegins(using: [resident])
    try residency.perform([.changed(.evicted(resident))]) { _ in false }
    #expect(residency.slots.ledger.slot(of: resident) == slot)
    #expect(residency.slots.ledger.isRetained(slot))
    residency.launched(resident) { _ in false }
    #expect(residency.slots.ledger.slot(of: resident) == nil)
    #expect(!residency.slots.ledger.isRetained(slot))
  }

  @Test func `a copy in the background waits for a slot, and gets its victim's`() throws {
    // One slot of the cache and two for staging: the third copy has none.
    for index in 1...3 { try carry(index, .prefetch) }
    let third = ExpertID(layer: 0, index: 3)
    #expect(residency.isWaiting(third))
    #expect(residency.waitedForSlot == 1)
    try residency.perform([.changed(.inserted(third, replacing: resident))]) { _ in true }
    #expect(residency.slots.ledger.isResident(third))
    #expect(residency.slots.ledger.slot(of: resident) == nil)
  }

  @Test func `no copy begins while a launch waits for another`() throws {
    let awaited = try #require(try residency.bring(ExpertID(layer: 0, index: 1)))
    try carry(2, .prefetch)
    #expect(residency.slots.ledger.slot(of: ExpertID(layer: 0, index: 2)) == nil)
    try residency.complete(awaited)
    #expect(residency.slots.ledger.isResident(ExpertID(layer: 0, index: 2)))
  }

  @Test func `a copy on demand takes a slot from one in the background, not from the plan`() throws
  {
    try carry(1, .prefetch)
    try carry(2, .prefetch)
    let used = [resident, ExpertID(layer: 0, index: 1)]
    #expect(try residency.bring(ExpertID(layer: 0, index: 3)) == nil)
    #expect(residency.preempt { used.contains($0) })
    #expect(try residency.bring(ExpertID(layer: 0, index: 3)) != nil)
    #expect(residency.isWaiting(ExpertID(layer: 0, index: 2)))
    for expert in used { #expect(residency.slots.ledger.slot(of: expert) != nil) }
  }

  @Test func `a copy of the plan keeps its slot, however little of it is there`() throws {
    try carry(1, through: 256, .prefetch)
    try carry(2, through: 4096, .prefetch)
    #expect(residency.preempt { $0.index < 2 })
    #expect(slot(0) != nil && slot(1) != nil && slot(2) == nil)
  }

  @Test func `a resident that the plan uses keeps its slot, whichever it is`() throws {
    for index in 1...2 { try carry(index, .prefetch) }
    #expect(residency.preempt { $0.index == 2 })
    #expect(slot(0) != nil && slot(1) == nil && slot(2) != nil)
    #expect(!residency.preempt { _ in true })
  }

  @Test func `what a launch waits for is copied to its end, though the director gives it up`()
    throws
  {
    let awaited = try #require(try residency.bring(ExpertID(layer: 0, index: 1)))
    try carry(1, through: 256, .onDemand)
    try residency.perform([.changed(.abandoned(awaited.expert))]) { _ in false }
    #expect(slot(1) == nil && !awaited.isWhole)
    try carry(1, .onDemand)
    #expect(awaited.isWhole)
    // Nothing else is held up any more.
    try carry(2, .prefetch)
    #expect(slot(2) != nil)
  }

  @Test func `a slot that was passed on is not asked for again while the plan runs`() throws {
    residency.planBegins(using: [ExpertID(layer: 0, index: 1)])
    let upload = try #require(try residency.bring(ExpertID(layer: 0, index: 1)))
    let slot = upload.claim.slot
    residency.launched(upload.expert) { _ in false }
    residency.reuseSlot(of: upload)
    #expect(residency.slots.ledger.content(of: slot) == .empty)
    try residency.complete(upload)
    // The link's word about it comes late.
    try carry(1, .onDemand)
    #expect(residency.slots.ledger.slot(of: upload.expert) == nil)
    residency.planBegins(using: [])
    try carry(1, .prefetch)
    #expect(residency.slots.ledger.isResident(upload.expert))
  }

  @Test func `what is given up waits for no slot`() throws {
    for index in 1...3 { try carry(index, .prefetch) }
    let third = ExpertID(layer: 0, index: 3)
    try residency.perform([.changed(.abandoned(third))]) { _ in false }
    #expect(!residency.isWaiting(third))
    try residency.perform([.changed(.evicted(resident))]) { _ in false }
    try residency.perform([.changed(.dropped(ExpertID(layer: 0, index: 1)))]) { _ in false }
    #expect(residency.slots.ledger.slot(of: third) == nil)
  }

  @Test func `a step that failed leaves nothing retained and nothing awaited`() throws {
    residency.planBegins(using: [resident, ExpertID(layer: 0, index: 1)])
    let awaited = try #require(try residency.bring(ExpertID(layer: 0, index: 1)))
    var raised: [Int: UInt32] = [:]
    residency.abandon { value, slot in raised[slot] = value }
    #expect(raised == [awaited.claim.slot: awaited.claim.arrival])
    for slot in 0..<residency.slots.count { #expect(!residency.slots.ledger.isRetained(slot)) }
    // A copy in the background begins again.
    try carry(2, .prefetch)
    #expect(residency.slots.ledger.isResident(ExpertID(layer: 0, index: 2)))
  }
}
