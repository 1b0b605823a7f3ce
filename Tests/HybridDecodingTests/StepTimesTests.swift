import Devices
import EmulatedDevice
import Experts
import Models
import Testing

@testable import HybridDecoding

@Suite struct StepTimesTests {
  /// Every kind of work takes another time, so that none can be taken for another.
  private static func clock() -> EmulatedTimes {
    var times = EmulatedTimes()
    times.copyLatencyMicroseconds = 7
    times.uploadBytesPerMicrosecond = 100
    times.downloadBytesPerMicrosecond = 30
    times.deviceBytesPerMicrosecond = 500
    times.launchMicroseconds = 2
    times.pollMicroseconds = 0
    times.kernelMicroseconds = { name, _, _, _ in Double(name.utf8.count) }
    return times
  }

  private static func microseconds(_ work: SubmittedWork) -> Double {
    let clock = clock()
    return switch work {
    case .launch(let kernel, _): clock.launchMicroseconds + Double(kernel.utf8.count)
    case .upload(let count):
      clock.copyLatencyMicroseconds + Double(count) / clock.uploadBytesPerMicrosecond
    case .download(let count):
      clock.copyLatencyMicroseconds + Double(count) / clock.downloadBytesPerMicrosecond
    case .onDevice(let count):
      clock.launchMicroseconds + Double(count) / clock.deviceBytesPerMicrosecond
    }
  }

  @Test(arguments: ["qwen3moe-nano-F16", "deepseek2-nano-Q4_0", "gpt-oss-nano-MXFP4_MOE"])
  func `a step takes what it was foretold to take`(_ name: String) throws {
    var configuration = EmulatedDevice.Configuration()
    configuration.timing = .modelled(Self.clock())
    let world = try World(name, chunk: 4, contextLength: 40, device: configuration)
    let layers = world.model.expertLayers.count
    for (count, position, phase) in [(4, 0, Phase.prefill), (1, 4, .decode), (1, 5, .decode)] {
      let start = world.device.clock.now
      try world.decoder.forward(
        world.tokens(count), rows: count - 1..<count, position: position, phase: phase,
        observer: nil
      ) {}
      try world.decoder.withLogits(ofRows: 0..<1) { _, _ in }
      let taken = world.device.clock.now - start
      let foretold = try HybridDecoder.stepTimes(
        world.model, DensePlacement(), contextLength: 40, keyValueType: .f16, tokenCount: count,
        position: position, phase: phase, microseconds: Self.microseconds)
      #expect(foretold.layers.count == layers)
      let sum = foretold.layers.values.reduce(foretold.others) {
        $0 + $1.beforeRouting + $1.shared + $1.afterExperts
      }
      // The processor's experts take no time here.
      #expect(abs(taken - sum) < 1e-6 * sum, "\(taken) is not \(sum)")
    }
  }

  @Test func `only layers of the device are in it, and shared experts by themselves`() throws {
    let model = try World.load("deepseek2-nano-F16")
    func times(_ host: Set<Int>) throws -> StepTimes {
      try HybridDecoder.stepTimes(
        model, DensePlacement(hostLayers: host), contextLength: 16, keyValueType: .f16,
        tokenCount: 1, position: 3, phase: .decode, microseconds: Self.microseconds)
    }
    let all = try times([])
    #expect(Set(all.layers.keys) == Set(model.expertLayers.keys))
    #expect(all.layers.values.allSatisfy { $0.beforeRouting > $0.shared && $0.shared > 0 })
    #expect(all.layers.values.allSatisfy { $0.afterExperts == Double("combine".count) + 2 })
    let last = model.layers.count - 1
    let fewer = try times([last])
    #expect(Set(fewer.layers.keys) == Set(all.layers.keys).subtracting([last]))
  }
}
