import DeviceCompute
import Devices
import EmulatedDevice
import Experts
import HybridExperts
import Models
import Synchronization
import Testing

@testable import HybridDecoding

/// A device that runs nothing but while the host waits for it: copies find what is there at the last moment.
@Suite struct LateDeviceTests {
  private let device: EmulatedDevice.Configuration

  init() {
    var configuration = EmulatedDevice.Configuration()
    configuration.precedence = ["compute"]
    device = configuration
  }

  /// Nothing waits for the state that the last layer gives back where no row is wanted.
  @Test(arguments: [[], [0], [2], [1, 2]] as [Set<Int>])
  func `what the device copies from is filled anew when it has been copied`(
    _ host: Set<Int>
  ) throws {
    let world = try World(
      "qwen3moe-nano-Q5_0", chunk: 1, placement: DensePlacement(hostLayers: host), device: device)
    try #require(world.model.hyperparameters.layerCount == 3)
    let prompt = world.tokens(5)
    #expect(
      try world.decoder.bits(prompt: prompt, chunk: 1, answer: [1, 2])
        == world.expected.bits(prompt: prompt, chunk: 1, answer: [1, 2]))
    try world.device.synchronize()
  }

  @Test func `weights are given back when they have been copied`() throws {
    let world = try World("mixtral-nano-F16", device: device)
    try world.device.synchronize()
  }

  @Test func `a step that fails leaves a device that has nothing to do`() throws {
    let last = LastOperation()
    var configuration = device
    configuration.ignoredOperations = last.note
    let world = try World("mixtral-nano-F16", device: configuration)
    world.serving.failingLayer = 1
    #expect(throws: HostServing.Failure.self) {
      _ = try world.decoder.bits(prompt: [1, 2], chunk: 4)
    }
    #expect(last.kind == .hostSynchronize)
  }

  @Test func `a decoder that is let go waits for its copies`() throws {
    var world: World? = try World("mixtral-nano-F16", device: device)
    let device = try #require(world?.device)
    try world?.decoder.forward(
      [1, 2], rows: 0..<2, position: 0, phase: .prefill, observer: nil
    ) {}
    world = nil
    try device.synchronize()
  }

  @Test func `the shared expert's rows are nobody else's until they are summed`() throws {
    let model = try World.load("qwen2moe-nano-F16")
    let device = SilentDevice()
    let placement = DensePlacement()
    var placer = WeightPlacer(base: 0)
    let exchange = try LayerExchange(
      device: device, model: model, placement: placement, tokenCapacity: 2)
    let step = DeviceStep(
      model, operations: try DeviceOperations(device), stream: SilentStream(),
      arena: DeviceArena(base: 0, byteCount: .max / 2),
      map: try DeviceWeightMap(model, placement, &placer),
      cache: try DeviceKeyValueCache(
        model, placement, type: .f16, capacity: 8, device: device),
      exchange: exchange, waitsForMemory: false, limits: DeviceStep.Limits(),
      onPoint: { _ in })
    let inputs = try StepInputs(model, tokenCapacity: 2, device: device)
    let layout = inputs.layout(tokenCount: 2)
    try step.begin(inputs.span(layout), layout, position: 0, phase: .prefill)
    let layer = try #require(model.expertLayers.keys.min())
    let before = step.arena.mark
    let pending = try #require(try step.submit(.experts(layer: layer)) { 1 })
    let shared = try #require(pending.shared)
    #expect(step.arena.mark >= Int(shared.address) + 4 * shared.rowCount * shared.stride)
    try step.submitSum(pending, ranks: exchange.ranks)
    #expect(step.arena.mark == before)
  }
}

/// What a device was given to do last, or what the host waited for.
private final class LastOperation: Sendable {
  private let last = Mutex<EmulatedOperation.Kind?>(nil)

  var kind: EmulatedOperation.Kind? { last.withLock { $0 } }

  @Sendable func note(_ operation: EmulatedOperation) -> Bool {
    last.withLock { $0 = operation.kind }
    return false
  }
}
