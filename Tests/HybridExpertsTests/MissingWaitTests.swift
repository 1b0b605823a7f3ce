import EmulatedDevice
import ExpertDirection
import ExpertScheduling
import Experts
import Testing

@testable import HybridExperts

/// Without any one of the waits, some order of the streams gives another result.
@Suite struct MissingWaitTests {
  struct Wait: CustomStringConvertible, Sendable {
    var name: String
    var stream: String
    var kind: EmulatedOperation.Kind
    var waitsForMemory = true
    var pinnedBytes = Int.max
    var description: String { name }
  }

  static let waits = [
    Wait(name: "for an expert's arrival", stream: "experts", kind: .waitForWord),
    Wait(
      name: "for an expert's arrival by event", stream: "experts", kind: .waitForEvent,
      waitsForMemory: false),
    Wait(name: "for a slot's last reader", stream: "upload", kind: .waitForEvent),
    Wait(
      name: "for a staging piece", stream: "host", kind: .hostWaitForEvent, pinnedBytes: 0),
  ]

  @Test(arguments: waits)
  func `each wait is needed`(_ wait: Wait) throws {
    let experts = MadeExperts(layerCount: 2)
    let steps = experts.steps([6, 1, 1, 5, 1], seed: 5)
    let expected = try steps.map { bits(try experts.reference($0)) }
    func isCaught(_ seed: UInt64) -> Bool {
      var configuration = EmulatedDevice.Configuration(
        seed: seed, waitsForMemory: wait.waitsForMemory,
        ignoredOperations: { $0.stream == wait.stream && $0.kind == wait.kind })
      configuration.hostThreadCount = 1
      var system = SystemDescription(.allGPU, cacheRatio: 0.25)
      system.cacheSlots = 1
      do {
        let served = try ServedLayers(
          experts, configuration, { $0.pinned.byteCount = wait.pinnedBytes }, system: system)
        for (step, expected) in zip(steps, expected) {
          if bits(try served.run(step)) != expected { return true }
        }
        return false
      } catch { return true }
    }
    #expect((1...12).contains { isCaught(UInt64($0)) })
  }
}
