import ExpertDirection
@testable import ExpertSimulation
import ExpertScheduling
import Experts
import TestSupport
import Testing

@Suite struct `The bound in hindsight` {
  /// The most uses that find their expert in a slot, by trying every content of the slots after
  /// every event; copies into slots cost nothing here, but only activated experts can be kept.
  static func mostHits(_ demands: [LayerDemand], slots: Int, experts: Int) -> Int {
    let all = (0..<(1 << experts)).filter { $0.nonzeroBitCount <= slots }
    var best: [Int: Int] = Dictionary(uniqueKeysWithValues: all.map { ($0, 0) })
    for demand in demands {
      let used = demand.experts.reduce(0) { $0 | 1 << (demand.layer * 4 + $1) }
      var next: [Int: Int] = [:]
      for (content, hits) in best {
        let found = hits + (content & used).nonzeroBitCount
        // Whatever was there or was used may stay.
        for kept in all where kept & ~(content | used) == 0 {
          next[kept] = max(next[kept] ?? 0, found)
        }
      }
      best = next
    }
    return best.values.max() ?? 0
  }

  @Test func `grants as many kept experts as any way of keeping them allows`() {
    var random = SeededGenerator(seed: 7)
    for world in 0..<60 {
      let demands = (0..<7).map { step in
        LayerDemand(
          RoutingEvent(
            step: step, phase: .decode, layer: step % 2,
            ids: Array(
              (0..<4).shuffled(using: &random).prefix(Int.random(in: 1...2, using: &random)))),
          activated: 1)
      }
      for slots in 0...4 {
        #expect(
          HindsightBound.retainableUses(demands, slots: slots)
            == Self.mostHits(demands, slots: slots, experts: 8), "world \(world), \(slots) slots")
      }
    }
  }

  @Test func `falls with every slot and ends at the time of the dense part`() throws {
    let world = try SimulationWorld.shared.get()[0]
    let bound = world.bound(.decode)
    var last = Double.infinity
    for slots in 0...40 {
      let time = bound.microseconds(slots: slots)
      #expect(time <= last + 1e-6)
      last = time
    }
    #expect(bound.steps == 16)
    let report = try world.report(SystemDescription(.allGPU, cacheRatio: 1))
    #expect(abs(last - report.decode.totalMicroseconds) / last < 0.01)
  }

  @Test func `no system that starts with the same residents beats their bound`() throws {
    for world in try SimulationWorld.shared.get() {
      let demands = world.sequence.events.filter { $0.phase == .prefill }
        .map { LayerDemand($0, activated: world.machine.activatedCount) }
      for ratio in [0.25, 0.5] {
        let residents = SystemDescription(.hybrimoe, cacheRatio: ratio)
          .residentsByPopularity(world.machine, world.sequence.popularity)
        let bound = HindsightBound(demands, on: world.machine, residents: residents)
          .microsecondsFromResidents()
        let loose = world.bound(.prefill).microseconds(slots: 2)
        #expect(bound > 0 && loose > 0)
        for name in SchedulerName.allCases where name != .llamacpp {
          let report = try world.report(SystemDescription(name, cacheRatio: ratio))
          #expect(report.prefill.totalMicroseconds >= bound - 1e-6, "\(name), ratio \(ratio)")
        }
      }
    }
  }

  @Test func `demands count tokens and loads`() {
    let demand = LayerDemand(
      RoutingEvent(step: 3, phase: .prefill, layer: 1, ids: [5, 2, 5, 7, 2, 5]), activated: 2)
    #expect(demand.tokens == 3 && demand.experts == [5, 2, 7] && demand.loads == [3, 2, 1])
  }
}
