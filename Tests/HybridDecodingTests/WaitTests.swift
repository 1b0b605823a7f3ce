import EmulatedDevice
import HybridDecoding
import Testing

/// What goes wrong where a wait is left out: every wait is there for something, and the tests see it.
@Suite struct WaitTests {
  /// Waits that are left out, and the device on which they matter.
  enum Missing: String, CaseIterable, Sendable {
    case processorsRows, devicesRows, devicesRowsByEvent, logitsOnTheHost

    var waitsForMemory: Bool { self != .devicesRowsByEvent }

    @Sendable func isLeftOut(_ operation: EmulatedOperation) -> Bool {
      switch self {
      case .processorsRows:
        operation.stream == "compute" && operation.kind == .waitForWord && operation.index % 2 == 0
      case .devicesRows:
        operation.stream == "compute" && operation.kind == .waitForWord && operation.index % 2 == 1
      case .devicesRowsByEvent: operation.stream == "compute" && operation.kind == .waitForEvent
      case .logitsOnTheHost: operation.kind == .hostWaitForEvent
      }
    }
  }

  @Test(arguments: Missing.allCases)
  func `without a wait some order of the streams gives other bits`(_ missing: Missing) throws {
    let expected = try run(seed: nil, waitsForMemory: missing.waitsForMemory, leftOut: nil)
    for seed in 1...40 as ClosedRange<UInt64> {
      let waits = missing.waitsForMemory
      // With all waits every order is right.
      if seed < 4 {
        #expect(try run(seed: seed, waitsForMemory: waits, leftOut: nil) == expected)
      }
      let found = try? run(seed: seed, waitsForMemory: waits, leftOut: missing.isLeftOut)
      if found != expected { return }
    }
    Issue.record("nobody notices that \(missing.rawValue) are not waited for")
  }

  private func run(
    seed: UInt64?, waitsForMemory: Bool, leftOut: (@Sendable (EmulatedOperation) -> Bool)?
  ) throws -> [[UInt32]] {
    let world = try World(
      "mixtral-nano-F16",
      device: EmulatedDevice.Configuration(
        seed: seed, waitsForMemory: waitsForMemory, ignoredOperations: leftOut))
    world.serving.usesDeviceRows = true
    return try world.decoder.bits(prompt: world.tokens(6), chunk: 4, answer: [1, 2])
  }
}
