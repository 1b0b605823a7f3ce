import EmulatedDevice
import ExpertDirection
import ExpertScheduling
import Experts
import Testing

@testable import HybridExperts

/// What happens to slots and copies between the calls of a plan, beside any plan.
@Suite struct ResidencyTests {
  private let served: ServedLayers
  private let first = ExpertID(layer: 0, index: 0)
  private let second = ExpertID(layer: 0, index: 1)
  private let third = ExpertID(layer: 1, index: 0)
  private let whole = Int.max

  private var residency: ExpertResidency { served.executor.residency }
  private var ledger: SlotLedger { residency.slots.ledger }

  /// All slots are free.
  init() throws {
    served = try ServedLayers(
      MadeExperts(), .init(seed: 5), system: SystemDescription(.allGPU, cacheRatio: 0.5))
    residency.keep { _ in false }
    try #require(ledger.freeCount == ledger.count && ledger.count > 3)
  }

  @Test func `no copy begins while launches wait for another`() throws {
    let awaited = try #require(try residency.bring(first))
    try residency.carry(second, through: whole, .fill)
    #expect(residency.isWaiting(second) && ledger.slot(of: second) == nil)
    try residency.perform([.changed(.dropped(third))]) { _ in false }
    #expect(ledger.slot(of: second) == nil)
    try residency.complete(awaited)
    #expect(ledger.isResident(first) && ledger.isResident(second))
    #expect(!residency.isWaiting(second))
    try residency.carry(third, through: whole, .fill)
    #expect(ledger.isResident(third))
  }

  @Test func `a copy that loses its slot begins anew in another`() throws {
    try residency.carry(first, through: 1, .fill)
    let before = try #require(ledger.slot(of: first))
    #expect(residency.preempt { _ in false })
    #expect(ledger.slot(of: first) == nil && residency.isWaiting(first))
    try residency.carry(first, through: whole, .fill)
    #expect(ledger.isResident(first) && ledger.slot(of: first) != before)
  }

  @Test func `a copy that is given up begins anew in another slot`() throws {
    try residency.carry(first, through: 1, .fill)
    try residency.perform([.changed(.abandoned(first))]) { _ in false }
    #expect(ledger.slot(of: first) == nil)
    try residency.carry(first, through: whole, .fill)
    #expect(ledger.isResident(first))
  }

  @Test func `whoever gets a slot knows its last reader`() throws {
    let executor = served.executor
    let slots = residency.slots
    let slot = try #require(slots.claim(for: first)?.slot)
    let mark = try executor.marks.mark(executor.gpu.stream)
    slots.noteRead(of: slot, mark)
    slots.drop(first)
    for index in 0..<slots.count {
      let claim = try #require(slots.claim(for: ExpertID(layer: 2, index: index)))
      #expect((claim.lastRead === mark) == (claim.slot == slot))
    }
  }

  @Test func `only kept experts stay`() throws {
    #expect(try residency.place(first) && residency.place(second))
    residency.keep { $0 == second }
    #expect(ledger.slot(of: first) == nil && ledger.isResident(second))
  }

  @Test func `from the beginning all slots are free`() throws {
    _ = try residency.bring(first)
    #expect(try residency.place(second))
    residency.clear()
    #expect(ledger.freeCount == ledger.count)
    try residency.carry(third, through: whole, .fill)
    #expect(ledger.isResident(third))
  }

  @Test func `a step that failed leaves no copy that launches wait for`() throws {
    let upload = try #require(try residency.bring(first))
    served.executor.hasFailed = true
    served.executor.abandon(through: served.sequence)
    #expect(word(upload) == upload.claim.arrival && ledger.slot(of: first) == nil)
  }

  @Test func `a link that fails leaves no copy that launches wait for, and ends the step`() throws {
    let measured = try ServedLayers(
      MadeExperts(), .init(seed: 5), { $0.clock = .measured },
      system: SystemDescription(.allGPU, cacheRatio: 0.5))
    let upload = try #require(try residency.bring(first))
    served.executor.linkFailed(HybridError.noSlot(experts: 1))
    #expect(word(upload) == upload.claim.arrival && ledger.slot(of: first) == nil)
    measured.executor.linkFailed(HybridError.noSlot(experts: 1))
    let step = MadeExperts().steps([1], seed: 1)[0]
    #expect(throws: HybridError.self) { _ = try measured.run(step) }
  }

  private func word(_ upload: Upload) -> UInt32 {
    residency.slots.arrivalWord(of: upload.claim.slot).base.pointee
  }
}
