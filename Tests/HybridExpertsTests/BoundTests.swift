import Devices
import EmulatedDevice
import ExpertDirection
import Experts
import Synchronization
import Testing

@testable import HybridExperts

/// What an executor may have on its way, and what it leaves when it cannot be made.
@Suite struct BoundTests {
  /// How many launches wait for copies whose arrivals have not been submitted.
  private final class Waits: Sendable {
    private let counts = Mutex((open: 0, most: 0, all: 0))

    var most: Int { counts.withLock { $0.most } }
    var all: Int { counts.withLock { $0.all } }

    func note(_ operation: EmulatedOperation) {
      counts.withLock {
        switch (operation.stream, operation.kind) {
        case ("experts", .waitForWord):
          $0.open += 1
          $0.all += 1
        case ("upload", .write): $0.open -= 1
        default: return
        }
        $0.most = max($0.most, $0.open)
      }
    }
  }

  @Test(arguments: [ExpertDirector.Clock.modelled, .measured])
  func `copies are issued before a stream holds more launches than it takes`(
    _ clock: ExpertDirector.Clock
  ) throws {
    let experts = MadeExperts(layerCount: 2, expertCount: 160, ranks: 8)
    let waits = Waits()
    var configuration = EmulatedDevice.Configuration(
      ignoredOperations: { operation in
        waits.note(operation)
        return false
      })
    configuration.hostThreadCount = clock == .measured ? 2 : 1
    var system = SystemDescription(.allGPU, cacheRatio: 0)
    system.cacheSlots = 4
    system.initialResidency = .empty
    let served = try ServedLayers(
      experts, configuration, capacity: 24, { $0.clock = clock }, system: system)
    var steps = experts.steps([20, 1], seed: 5)
    steps[0].ids = (0..<2).map { _ in (0..<160).map { Int32($0) } }
    for step in steps {
      #expect(bits(try served.run(step)) == bits(try experts.reference(step)))
    }
    let limit = served.executor.arrivalLimit
    #expect(experts.expertCount > 3 * limit)
    #expect(waits.most == limit, "of \(waits.all) launches behind copies")
  }

  @Test func `an executor that cannot be made leaves no copy on its way`() throws {
    let experts = MadeExperts(
      gateType: .mxfp4, downType: .mxfp4, hasBiases: true,
      activation: .clampedSwiGLU(alpha: 1.702, limit: 7))
    var system = SystemDescription(.ktransformers, cacheRatio: 0.25)
    system.eviction = .static
    for _ in 0..<8 {
      #expect(throws: DirectionError.self) {
        _ = try ServedLayers(experts, .init(), system: system)
      }
    }
  }

  @Test func `an executor that is let go in the middle of its copies ends`() throws {
    let experts = MadeExperts(expertCount: 16)
    for round in 0..<8 {
      var configuration = EmulatedDevice.Configuration()
      configuration.hostThreadCount = 2
      let served = try ServedLayers(
        experts, configuration, { $0.clock = .measured },
        system: SystemDescription(.hybrimoe, cacheRatio: 0.5))
      for step in experts.steps([6, 1], seed: UInt64(round)) { _ = try served.run(step) }
      if round % 2 == 0 { served.executor.end() }
    }
  }
}
