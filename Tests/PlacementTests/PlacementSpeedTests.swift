import Experts
import TestSupport
import Testing

@testable import Placement

@Suite struct `The expected speed` {
  /// The time of a split by the definition, and the best of many splits.
  private func searched(
    _ costs: LayerCosts, activated: Double, misses: Double, load: Double, mayCopy: Bool
  ) -> Double {
    let steps = 4000
    let amounts = (0...steps).map { activated * Double($0) / Double(steps) } + [misses]
    return amounts.filter { mayCopy || $0 >= misses }.map { amount in
      let copied = max(0, misses - amount)
      let gpuEach = costs.gpu(load: Int(load))
      let cpu = amount > 0 ? costs.cpuFirst + amount * costs.cpu(load: Int(load)) : 0
      let gpu =
        costs.sharedOnGPU
        + (activated > amount ? costs.gpuPerLaunch + (activated - amount) * gpuEach : 0)
      let each = amount > 0 ? costs.linkPerExpert : costs.linkPerExpertAlone
      let link = copied > 0 ? copied * each + min(1, copied) * gpuEach : 0
      return max(cpu, gpu, link) + costs.handshake
    }.min() ?? 0
  }

  @Test func `the split between the lanes is the best of all`() {
    for seed in UInt64(1)...400 {
      var random = SeededGenerator(seed: seed)
      func draw(_ range: ClosedRange<Double>) -> Double { .random(in: range, using: &random) }
      var costs = LayerCosts(
        cpuPerToken: draw(1...300), gpuPerExpert: draw(1...100), linkPerExpert: draw(10...900))
      costs.linkPerExpertAlone = costs.linkPerExpert * draw(0.5...1)
      costs.cpuFirst = draw(0...100)
      costs.cpuPerExpert = draw(0...300)
      costs.gpuPerLaunch = draw(0...30)
      costs.gpuPerToken = draw(0...3)
      costs.gpuKnee = 5
      costs.sharedOnGPU = draw(0...200)
      costs.handshake = draw(0...30)
      let activated = draw(1...12)
      let load = Double(Int.random(in: 1...20, using: &random))
      var split = LaneSplit(costs: costs, activated: activated, load: load)
      split.misses = activated * draw(0...1)
      split.mayCopy = Bool.random(using: &random)
      let best = searched(
        costs, activated: activated, misses: split.misses, load: load, mayCopy: split.mayCopy)
      #expect(split.makespan <= best * (1 + 1e-9), "seed \(seed)")
      #expect(split.makespan >= best * 0.995, "seed \(seed): better than any split can be")
      let makespan = split.makespan
      split.misses *= 0.7
      #expect(split.makespan <= makespan * (1 + 1e-12), "seed \(seed): fewer misses are slower")
    }
  }

  @Test func `whole experts take no less than fractions, and hits never make a layer slower`() {
    for seed in UInt64(1)...300 {
      var random = SeededGenerator(seed: seed)
      func draw(_ range: ClosedRange<Double>) -> Double { .random(in: range, using: &random) }
      var costs = LayerCosts(
        cpuPerToken: draw(1...300), gpuPerExpert: draw(1...100), linkPerExpert: draw(10...900))
      costs.cpuFirst = draw(0...100)
      costs.gpuPerLaunch = draw(0...30)
      costs.sharedOnGPU = draw(0...200)
      let count = Int.random(in: 1...12, using: &random)
      var split = LaneSplit(costs: costs, activated: Double(count), load: 1)
      split.mayCopy = Bool.random(using: &random)
      split.misses = Double(count)
      #expect(split.meanMakespan(hitRate: 0) >= split.makespan * (1 - 1e-9), "seed \(seed)")
      let times = (0...10).map { split.meanMakespan(hitRate: Double($0) / 10) }
      for (before, after) in zip(times, times.dropFirst()) {
        // Where nothing is gained by hits, sums of probabilities differ in their last digits.
        #expect(after <= before * (1 + 1e-9), "seed \(seed)")
      }
    }
  }

  @Test func `layers that are entirely on the GPU need no host memory and no copies`() throws {
    let shape = try shape("qwen3-30b-a3b")
    var request = PlacementRequest(machine: try machine("rtx-3090"), shape: shape, context: 8192)
    let whole = PlacementPlanner.plan(request)
    #expect(whole.slotCount == 48 * 128 && whole.pinnedBytes == 0)
    #expect(whole.bytes(.experts, in: whole.hostParts) == 0)
    request.gpuMemoryBytes = 12 << 30
    request.wishes = (0..<48).map { LayerWish(experts: $0 < 10 ? .gpu : $0 < 40 ? .cached : .cpu) }
    let mixed = PlacementPlanner.plan(request)
    func bytes(_ layers: Range<Int>) -> Int {
      layers.reduce(0) { $0 + 128 * shape.expertFootprint(layer: $1).hostBytes }
    }
    #expect(mixed.layers[..<10].allSatisfy { $0.slots == 128 })
    #expect(mixed.bytes(.experts, in: mixed.hostParts) == bytes(10..<48))
    #expect(mixed.pinnedBytes == bytes(10..<40), "what the CPU always computes is never copied")
  }

  @Test func `a system with its own format keeps a second copy in host memory`() throws {
    var request = PlacementRequest(
      machine: try machine("paper"), shape: try shape("qwen2-57b-a14b"), context: 2048)
    request.slots = .ratio(0.25)
    let plan = PlacementPlanner.plan(request)
    #expect(plan.bytes(.expertCopies, in: plan.hostParts) == 28 * 64 * 13_762_560)
    #expect(plan.layers.allSatisfy { $0.slots == 16 })
    #expect(plan.bytes(.expertSlots, in: plan.gpuParts) == 28 * 16 * 13_762_560)
  }

  @Test func `a known hit rate takes the place of the assumed one`() throws {
    var request = PlacementRequest(
      machine: try machine("rtx-3090"), shape: try shape("qwen2-57b-a14b"), context: 8192)
    let assumed = try #require(PlacementPlanner.plan(request).speed)
    request.hitRate = 0.5
    let low = try #require(PlacementPlanner.plan(request).speed)
    #expect(assumed.isHitRateAssumed && !low.isHitRateAssumed && low.hitRate == 0.5)
    #expect(low.decodeMicroseconds > assumed.decodeMicroseconds)
    #expect(low.prefillMicroseconds == assumed.prefillMicroseconds)
  }
}
