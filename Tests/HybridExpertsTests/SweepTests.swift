import EmulatedDevice
import ExpertCaching
import ExpertDirection
import ExpertScheduling
import Experts
import Tensors
import TestSupport
import Testing

@testable import HybridExperts

/// Runs that differ in everything that must not change a result, drawn by seeds.
@Suite struct SweepTests {
  struct Setting: CustomStringConvertible {
    var seed: UInt64
    var name: SchedulerName
    var system: SystemDescription
    var waitsForMemory: Bool
    var pinnedBytes: Int
    var hasStore: Bool
    var clock = ExpertDirector.Clock.modelled

    init(seed: UInt64) {
      var generator = SeededGenerator(seed: seed)
      self.seed = seed
      name = SchedulerName.allCases.randomElement(using: &generator) ?? .hybrimoe
      system = SystemDescription(name, cacheRatio: 0.5)
      system.cacheSlots = [1, 2, 4, 8].randomElement(using: &generator)
      if Bool.random(using: &generator), system.eviction != nil {
        system.eviction =
          [.auto, .mrs, .lru, .lfu, .lfru, .workload].randomElement(using: &generator)
      }
      if Bool.random(using: &generator) {
        system.prefetching =
          SystemDescription.Prefetching.allCases.randomElement(using: &generator) ?? .off
      }
      system.movesSlots = system.eviction != nil && Bool.random(using: &generator)
      waitsForMemory = UInt.random(in: 0..<4, using: &generator) > 0
      pinnedBytes = [0, .max].randomElement(using: &generator) ?? 0
      hasStore = UInt.random(in: 0..<4, using: &generator) > 0
      if UInt.random(in: 0..<3, using: &generator) == 0 { clock = .measured }
    }

    var description: String {
      "seed \(seed): \(name), \(system.cacheSlots ?? 0) slots, "
        + "\(system.eviction.map(\.rawValue) ?? "fixed"), \(system.prefetching), "
        + "moves \(system.movesSlots), waits \(waitsForMemory), pinned \(pinnedBytes), "
        + "store \(hasStore), clock \(clock)"
    }
  }

  /// The last ones once hung or found no slot, for want of order among copies.
  static let places = Array(0..<16) + [163, 174, 201]

  @Test(arguments: places)
  func `no order, cache, scheduler or want of pinned memory changes a bit`(_ index: Int) throws {
    let setting = Setting(seed: UInt64(100 + index))
    let experts = MadeExperts(seed: setting.seed)
    let steps = experts.steps([9, 1, 1, 1, 1, 6, 1, 1, 1], seed: setting.seed)
    var configuration = EmulatedDevice.Configuration(
      seed: setting.seed, threadCount: setting.seed % 3 == 0 ? 1 : nil,
      waitsForMemory: setting.waitsForMemory)
    configuration.hostThreadCount = setting.clock == .measured ? 2 : 1
    let served = try ServedLayers(
      experts, configuration,
      store: try experts.makeStore(capacityBytes: setting.hasStore ? 64 << 20 : 4096),
      {
        $0.pinned.byteCount = setting.pinnedBytes
        $0.clock = setting.clock
      }, system: setting.system)
    for (place, step) in steps.enumerated() {
      if place == 4, setting.seed % 4 == 0 {
        let after = Int(setting.seed / 4 % 3)
        #expect(throws: ServedLayers.Stopped.self) {
          _ = try served.run(step, stoppingAfter: after)
        }
        continue
      }
      let expected = bits(try experts.reference(step))
      #expect(bits(try served.run(step)) == expected, "\(setting), step \(place)")
    }
  }
}
