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

  private func carry(_ index: Int, _ priority: TransferQueue.Priority) throws {
    let bytes = try MadeExperts().costs().layers[0].footprint.linkBytes
    try residency.carry(ExpertID(layer: 0, index: index), through: bytes, priority)
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
}
