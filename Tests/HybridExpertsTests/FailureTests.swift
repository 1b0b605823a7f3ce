import Devices
import EmulatedDevice
import ExpertDirection
import ExpertScheduling
import Experts
import Testing

@testable import HybridExperts

@Suite struct FailureTests {
  let experts = MadeExperts()

  private func check(_ served: ServedLayers, _ tokens: [Int], seed: UInt64 = 9) throws {
    for step in experts.steps(tokens, seed: seed) {
      #expect(bits(try served.run(step)) == bits(try experts.reference(step)))
    }
  }

  @Test func `with too little memory the cache is halved until it fits`() throws {
    let roomy = try ServedLayers(
      experts, .init(), system: SystemDescription(.hybrimoe, cacheRatio: 0.75))
    let all = try roomy.executor.statistics()
    #expect(all.notes.isEmpty)
    let without = try roomy.device.freeByteCount() + all.slotCount * all.slotBytes
    let short = try ServedLayers(
      experts,
      .init(memoryByteCount: (1 << 30) - without + all.slotCount * all.slotBytes * 2 / 3),
      system: SystemDescription(.hybrimoe, cacheRatio: 0.75))
    let left = try short.executor.statistics()
    #expect(left.slotCount > 0 && left.slotCount < all.slotCount)
    #expect(short.executor.shortage?.contains("cut down to \(left.slotCount) slots") == true)
    try check(short, [6, 1, 1, 1])
  }

  @Test func `without any memory for slots the processor computes all experts`() throws {
    let probe = try ServedLayers(
      experts, .init(), system: SystemDescription(.allCPU, cacheRatio: 0.25))
    let figures = try probe.executor.statistics()
    let used = (1 << 30) - (try probe.device.freeByteCount())
    let served = try ServedLayers(
      experts, .init(memoryByteCount: used - figures.slotCount * figures.slotBytes + 8192),
      system: SystemDescription(.hybrimoe, cacheRatio: 0.5))
    #expect(served.executor.shortage?.contains("computed by the CPU") == true)
    try check(served, [6, 1, 1])
    let decode = try served.executor.statistics().decode
    #expect(decode.onCPU == decode.activated && decode.activated > 0)
  }

  @Test func `refused pinning is said, and costs a detour only`() throws {
    let served = try ServedLayers(
      experts, .init(), { $0.pinned.byteCount = 0 },
      system: SystemDescription(.adapmoe, cacheRatio: 0.25))
    try check(served, [6, 1, 1])
    let statistics = try served.executor.statistics()
    #expect(statistics.pinnedBytes == 0 && statistics.stagedBytes > 0)
    #expect(statistics.notes.contains { $0.contains("budget") })
  }

  @Test(arguments: [1, 3, 8, 20], [true, false])
  func `a device that is lost ends the step with an error`(_ number: Int, _ inCopy: Bool) throws {
    var error: (any Error)?
    do {
      let served = try ServedLayers(
        experts,
        .init(seed: 4, failures: [inCopy ? .copy(number: number) : .launch(number: number)]),
        system: SystemDescription(.adapmoe, cacheRatio: 0.25))
      for step in experts.steps([6, 1, 1, 1, 1, 1], seed: 2) { _ = try served.run(step) }
    } catch let caught { error = caught }
    guard case .lost = error as? DeviceError else {
      Issue.record("no device was lost: \(String(describing: error))")
      return
    }
  }

  @Test func `a copy that takes a second changes nothing but the time`() throws {
    let served = try ServedLayers(
      experts,
      .init(timing: .modelled(.init()), failures: [.copyDelayed(number: 9, microseconds: 1e6)]),
      system: SystemDescription(.adapmoe, cacheRatio: 0.25))
    try check(served, [6, 1, 1, 1])
    #expect(served.device.clock.now > 1e6)
  }

  @Test func `routing that names no expert is an error, and the next step is right again`() throws {
    let served = try ServedLayers(
      experts, .init(seed: 3), system: SystemDescription(.hybrimoe, cacheRatio: 0.25))
    var steps = experts.steps([6, 1, 1, 1], seed: 8)
    let right = steps[1]
    steps[1].ids[1][0] = 99
    _ = try served.run(steps[0])
    #expect(throws: HybridError.self) { _ = try served.run(steps[1]) }
    for step in [right, steps[2], steps[3]] {
      #expect(bits(try served.run(step)) == bits(try experts.reference(step)))
    }
  }

  @Test func `weights and scores that are no numbers are served all the same`() throws {
    let served = try ServedLayers(
      experts, .init(seed: 3), system: SystemDescription(.hybrimoe, cacheRatio: 0.25))
    for var step in experts.steps([4, 1, 1], seed: 8) {
      for layer in 0..<experts.layerCount {
        step.weights[layer][0] = .nan
        for index in step.scores[layer].indices { step.scores[layer][index] = .nan }
      }
      let (found, expected) = (try served.run(step), try experts.reference(step))
      for (found, expected) in zip(found.joined(), expected.joined()) {
        #expect(found.bitPattern == expected.bitPattern || found.isNaN && expected.isNaN)
      }
    }
  }
}
