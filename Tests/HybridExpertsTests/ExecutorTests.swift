import EmulatedDevice
import ExpertCaching
import ExpertDirection
import ExpertScheduling
import Experts
import Testing

@testable import HybridExperts

@Suite struct ExecutorTests {
  static let tokens = [7, 1, 1, 1, 5, 1, 1]

  @Test(arguments: SchedulerName.allCases)
  func `every scheduler's run gives the bits of the processor`(_ name: SchedulerName) throws {
    let experts = MadeExperts()
    let steps = experts.steps(Self.tokens, seed: 3)
    let served = try ServedLayers(
      experts, .init(seed: 11), system: SystemDescription(name, cacheRatio: 0.5))
    for (index, step) in steps.enumerated() {
      let expected = try experts.reference(step)
      #expect(bits(try served.run(step)) == bits(expected), "\(name), step \(index)")
    }
  }
}
