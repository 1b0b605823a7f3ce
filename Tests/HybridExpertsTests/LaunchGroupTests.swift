import EmulatedDevice
import ExpertDirection
import ExpertScheduling
import Experts
import Synchronization
import Testing

@testable import HybridExperts

/// Experts that arrive go to the GPU in groups, one launch for each half of an expert.
@Suite struct LaunchGroupTests {
  /// Launches of the first half that the steps took, with their layers' numbers.
  private func launches(
    costing launch: Double, waitsForMemory: Bool = true, slots: Int = 1, seed: UInt64? = nil
  ) throws -> (count: Int, numbers: [[[UInt32]]], expected: [[[UInt32]]], copied: Int) {
    let experts = MadeExperts(layerCount: 2)
    let steps = experts.steps([6, 1, 1, 5, 1], seed: 5)
    let count = Atomic(0)
    var system = SystemDescription(.allGPU, cacheRatio: 0.25)
    system.cacheSlots = slots
    let costs = try experts.costs(launch: launch)
    let served = try ServedLayers(
      experts,
      .init(
        seed: seed, waitsForMemory: waitsForMemory,
        ignoredOperations: {
          if $0.kernel == "gated" { count.wrappingAdd(1, ordering: .relaxed) }
          return false
        }), { $0.lanes = costs }, system: system)
    let numbers = try steps.map { bits(try served.run($0)) }
    let statistics = try served.executor.statistics()
    return (
      count.load(ordering: .relaxed), numbers, try steps.map { bits(try experts.reference($0)) },
      statistics.prefill.copiedOnDemand + statistics.decode.copiedOnDemand
    )
  }

  @Test(arguments: [false, true])
  func `dear launches are shared, cheap ones wait for nobody`(_ waits: Bool) throws {
    let cheap = try launches(costing: 0, waitsForMemory: waits)
    let dear = try launches(costing: 1000, waitsForMemory: waits)
    #expect(cheap.numbers == cheap.expected && dear.numbers == dear.expected)
    #expect(cheap.copied == dear.copied)
    // Each arrival for itself, and for residents one more.
    #expect(cheap.count >= cheap.copied)
    // Two in each of the ten layers at most.
    #expect(dear.count <= 20 && dear.count < cheap.count)
  }

  @Test(arguments: 1...8 as ClosedRange<UInt64>)
  func `a group that needs more slots than there are is launched in parts`(_ seed: UInt64) throws {
    let dear = try launches(costing: 1000, slots: 0, seed: seed)
    #expect(dear.numbers == dear.expected)
    // Ten layers, whose groups the staging slots cut.
    #expect(dear.count > 10 && dear.count < dear.copied)
  }
}
