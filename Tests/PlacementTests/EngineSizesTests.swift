import TestSupport
import Testing

@testable import Placement

@Suite struct `A plan by an engine's own figures` {
  private func request(memory: Int, extraSlots: Int = 5) throws -> PlacementRequest {
    var request = PlacementRequest(
      machine: try machine("rtx-3090"), shape: try shape("deepseek-v2-lite"), context: 4096)
    request.machine.gpu.memoryBytes = memory
    request.machine.gpu.marginBytes = 0
    var sizes = EngineSizes()
    (sizes.attention, sizes.keyValueCache, sizes.feedForward) = (100, 30, 200)
    (sizes.output, sizes.workspace, sizes.slot, sizes.extraSlots) = (60, 10, 7, extraSlots)
    request.engineSizes = sizes
    return request
  }

  @Test func `takes the dense part whole, then room for copies, then slots`() throws {
    let exact = PlacementPlanner.plan(try request(memory: 400 + 35))
    #expect(exact.slotCount == 0 && exact.denseFits && exact.copiesExperts)
    #expect(exact.bytes(.unused, in: exact.gpuParts) == 0)
    #expect(exact.layers.allSatisfy { $0.attention == .gpu && $0.feedForward == .gpu })
    for more in [7, 26 * 7, 27 * 7 + 6, 60 * 7] {
      let plan = PlacementPlanner.plan(try request(memory: 435 + more))
      #expect(plan.slotCount == more / 7, "\(more)")
      #expect(plan.gpuParts.reduce(0) { $0 + $1.bytes } == 435 + more)
      let slots = plan.layers.dropFirst().map(\.slots)
      #expect((slots.max() ?? 0) - (slots.min() ?? 0) <= 1, "one for each layer in turn")
    }
  }

  @Test func `leaves everything to the CPU where a byte is missing`() throws {
    let plan = PlacementPlanner.plan(try request(memory: 399))
    #expect(plan.isOnCPUOnly && !plan.denseFits)
    #expect(plan.bytes(.unused, in: plan.gpuParts) == 399)
    let noCopies = PlacementPlanner.plan(try request(memory: 400 + 34))
    #expect(noCopies.denseFits && noCopies.reductions == [.noCopies])
  }

  @Test func `a step takes the engine's own times and the experts'`() throws {
    var request = try request(memory: 1 << 20)
    request.slots = .perLayer(0)
    let assumed = try #require(PlacementPlanner.plan(request).speed)
    func decode(_ times: EngineTimes) throws -> Double {
      request.engineTimes = times
      return try #require(PlacementPlanner.plan(request).speed).decodeMicroseconds
    }
    let none = try decode(EngineTimes(dense: 0, shared: [:], handshake: 0))
    let dense = try decode(EngineTimes(dense: 1000, shared: [:], handshake: 0))
    #expect(abs(dense - none - 1000) < 1e-6)
    let handshake = try decode(EngineTimes(dense: 0, shared: [:], handshake: 10))
    #expect(abs(handshake - none - 26 * 10) < 1e-6, "in each of 26 MoE layers")
    // The shared experts run beside the routed ones, until they take longer.
    let shared = Dictionary(uniqueKeysWithValues: (1...26).map { ($0, 1e6) })
    let long = try decode(EngineTimes(dense: 0, shared: shared, handshake: 0))
    #expect(long >= 26e6 && long < 26.5e6)
    #expect(none < assumed.decodeMicroseconds, "what the machine's file assumes is not added")
  }
}
