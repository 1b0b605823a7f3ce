import CPUCompute
import Devices
import EmulatedDevice
import HybridExperts
import Models
import Testing

@testable import HybridDecoding

@Suite struct FootprintTests {
  @Test(arguments: ["deepseek2-nano-Q4_0", "mixtral-nano-F16", "gpt-oss-nano-MXFP4_MOE"])
  func `what is foretold is what is taken`(_ name: String) throws {
    let world = try World(name, type: .q8_0, chunk: 5, contextLength: 40)
    let foretold = try HybridDecoder.footprint(
      of: world.model, contextLength: 40, keyValueType: .q8_0, chunkTokenCount: 5)
    #expect(world.decoder.footprint == foretold)
    let taken = try world.device.properties.totalByteCount - world.device.freeByteCount()
    // Allocations are whole blocks of 256 bytes.
    #expect(abs(taken - foretold.byteCount) < 16 * 256)
  }

  @Test
  func `layers on the processor take no memory of the device but their routers'`() throws {
    let model = try World.load("deepseek2-nano-F16")
    func footprint(_ placement: DensePlacement) throws -> DeviceFootprint {
      try HybridDecoder.footprint(
        of: model, placement: placement, contextLength: 32, keyValueType: .f16, chunkTokenCount: 4)
    }
    let all = try footprint(DensePlacement())
    let none = try footprint(
      DensePlacement(
        hostLayers: Set(0..<model.hyperparameters.layerCount), outputHeadOnHost: true))
    #expect(all.weightByteCounts[.attention, default: 0] > 0)
    #expect(all.weightByteCounts[.keyProjections, default: 0] > 0)
    #expect(all.weightByteCounts[.outputHead, default: 0] > 0)
    #expect(Set(none.weightByteCounts.keys) == [.norms, .routers])
    #expect(none.weightByteCounts[.routers] == all.weightByteCounts[.routers])
    #expect(none.cacheByteCount == 0 && all.cacheByteCount > 0)
    #expect(none.workspaceByteCount < all.workspaceByteCount)
  }

  @Test
  func `no step is larger than those that were measured`() throws {
    let model = try World.load("deepseek3-nano-F16")
    // Heads are expanded one at a time, two at a time and all at once as the context grows.
    var bytes: [Int] = []
    for context in 8...72 {
      let limits = DeviceStep.Limits(expansionByteCount: 32_000)
      bytes.append(
        try TrialRun(
          model, DensePlacement(), contextLength: context, keyValueType: .f16,
          chunkTokenCount: 8, limits: limits
        ).footprint.workspaceByteCount)
    }
    #expect(bytes == bytes.sorted())
  }

  @Test
  func `a longer context takes more, a smaller chunk less`() throws {
    let model = try World.load("deepseek3-nano-F16")
    func bytes(_ context: Int, _ chunk: Int) throws -> Int {
      try HybridDecoder.footprint(
        of: model, contextLength: context, keyValueType: .f16, chunkTokenCount: chunk
      ).byteCount
    }
    #expect(try bytes(64, 8) > bytes(32, 8))
    #expect(try bytes(64, 4) < bytes(64, 8))
    // A chunk is never longer than the context.
    #expect(try bytes(16, 64) == bytes(16, 16))
  }

  @Test
  func `a layer that is not there and an exchange of another size are refused`() throws {
    let model = try World.load("mixtral-nano-F16")
    let count = model.hyperparameters.layerCount
    #expect(throws: HybridDecodingError.noLayer(asked: count, layerCount: count)) {
      try HybridDecoder.footprint(
        of: model, placement: DensePlacement(hostLayers: [count]), contextLength: 8,
        keyValueType: .f16, chunkTokenCount: 4)
    }
    let compute = try CPUBackend(threadCount: 1)
    func setup(_ chunk: Int) -> SequenceSetup {
      SequenceSetup(
        model: model, compute: compute, contextLength: 16, keyValueType: .f16,
        chunkTokenCount: chunk)
    }
    let device = try EmulatedDevice()
    let serving = try HostServing(setup(2), device: device)
    #expect(throws: HybridDecodingError.self) {
      try HybridDecoder(setup(4), device: device, serving: serving)
    }
  }

  @Test(arguments: 1...4)
  func `an allocation that fails ends the loading with its error`(_ number: Int) throws {
    let error = #expect(throws: DeviceError.self) {
      try World(
        "qwen3moe-nano-F16",
        device: EmulatedDevice.Configuration(failures: [.allocation(number: number)]))
    }
    guard case .outOfMemory? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }
}
