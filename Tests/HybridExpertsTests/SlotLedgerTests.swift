import Experts
import TestSupport
import Testing

@testable import HybridExperts

@Suite struct SlotLedgerTests {
  @Test(arguments: 0..<20 as Range<UInt64>)
  func `a slot has one expert, an expert one slot, and nobody loses one in use`(_ seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var ledger = SlotLedger(count: Int.random(in: 1...6, using: &generator))
    var places: [ExpertID: Int] = [:]
    var references: [ExpertID: Int] = [:]
    for _ in 0..<500 {
      let expert = ExpertID(
        layer: Int.random(in: 0..<2, using: &generator),
        index: Int.random(in: 0..<5, using: &generator))
      switch Int.random(in: 0..<5, using: &generator) {
      case 0 where places[expert] == nil:
        let slot = ledger.claim(for: expert)
        #expect((slot == nil) == (places.count == ledger.count))
        if let slot {
          #expect(!places.values.contains(slot))
          #expect(ledger.content(of: slot) == .incoming(expert))
          places[expert] = slot
        }
      case 1 where places[expert] != nil && !ledger.isResident(expert): ledger.publish(expert)
      case 2 where places[expert] != nil && references[expert, default: 0] == 0:
        ledger.drop(expert)
        places[expert] = nil
      case 3 where places[expert] != nil:
        ledger.retain(expert)
        references[expert, default: 0] += 1
      case 4 where references[expert, default: 0] > 0:
        ledger.release(expert)
        references[expert, default: 0] -= 1
      default: break
      }
      #expect(ledger.slot(of: expert) == places[expert])
      #expect(ledger.freeCount == ledger.count - places.count)
      for (expert, slot) in places {
        #expect(ledger.isRetained(slot) == (references[expert, default: 0] > 0))
      }
    }
  }

  @Test func `the slot that has been free longest is handed out first`() {
    var ledger = SlotLedger(count: 2)
    let experts = (0..<3).map { ExpertID(layer: 0, index: $0) }
    #expect(ledger.claim(for: experts[0]) == 0)
    #expect(ledger.claim(for: experts[1]) == 1)
    ledger.drop(experts[1])
    ledger.drop(experts[0])
    #expect(ledger.claim(for: experts[2]) == 1)
  }

  @Test func `a slot in use is not emptied`() async {
    await #expect(processExitsWith: .failure) {
      var ledger = SlotLedger(count: 1)
      let expert = ExpertID(layer: 0, index: 0)
      _ = ledger.claim(for: expert)
      ledger.retain(expert)
      ledger.drop(expert)
    }
  }

  @Test func `a step that is given up takes all references back`() {
    var ledger = SlotLedger(count: 1)
    let expert = ExpertID(layer: 0, index: 0)
    #expect(ledger.claim(for: expert) == 0)
    ledger.retain(expert)
    ledger.retain(expert)
    ledger.releaseAll()
    #expect(!ledger.isRetained(0))
  }
}
