import ExpertScheduling
import Experts
import TestSupport
import Testing

@Suite struct MonotonicityTests {
  private typealias Change = (name: String, apply: @Sendable (inout LayerCase) -> Void)

  private static let improvements: [Change] = [
    (
      "a faster link",
      {
        $0.costs.linkPerExpert *= 0.7
        $0.costs.linkPerExpertAlone *= 0.7
      }
    ),
    ("a link that the CPU slows less", { $0.costs.linkPerExpert = $0.costs.linkPerExpertAlone }),
    (
      "a faster CPU",
      {
        $0.costs.cpuFirst *= 0.7
        $0.costs.cpuPerExpert *= 0.7
        $0.costs.cpuPerToken *= 0.7
      }
    ),
    (
      "a faster GPU",
      {
        $0.costs.gpuPerLaunch *= 0.7
        $0.costs.gpuPerExpert *= 0.7
        $0.costs.gpuPerToken *= 0.7
      }
    ),
    ("a later knee", { $0.costs.gpuKnee += 3 }),
    ("a faster shared expert", { $0.costs.sharedOnGPU *= 0.5 }),
    ("a smaller handshake", { $0.costs.handshake *= 0.5 }),
    ("a CPU that is free earlier", { $0.cpuFree *= 0.5 }),
    ("a GPU that is free earlier", { $0.gpuFree *= 0.5 }),
    (
      "one more resident",
      {
        guard let place = $0.experts.firstIndex(where: { $0.residency != .resident }) else {
          return
        }
        $0.experts[place].residency = .resident
      }
    ),
    ("one expert less", { if !$0.experts.isEmpty { $0.experts.removeLast() } }),
  ]

  @Test(arguments: [1, 9])
  func `nothing that gets better makes an exact plan longer`(maximumLoad: Int) {
    var random = SeededGenerator(seed: UInt64(maximumLoad))
    var ours = HybridScheduler()
    for seed in 0..<300 {
      let layerCase = SmallWorlds.random(
        count: seed % 11, maximumLoad: maximumLoad, &random)
      let before = ours.makespan(of: layerCase)
      for improvement in Self.improvements {
        var better = layerCase
        improvement.apply(&better)
        #expect(
          ours.makespan(of: better) <= before * (1 + 1e-9),
          "case \(seed): \(improvement.name) makes it longer: \(layerCase)")
      }
    }
  }
}
