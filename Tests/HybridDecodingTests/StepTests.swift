import CPUCompute
import Devices
import EmulatedDevice
import Experts
import HybridExperts
import Models
import Synchronization
import Testing

@testable import HybridDecoding

/// What happens around steps: rewinding, giving up, failing.
@Suite struct StepTests {
  struct Cancelled: Error {}

  @Test
  func `a sequence that is rewound continues as if nothing had been behind it`() throws {
    let world = try World("deepseek2-nano-Q4_0")
    let prompt = world.tokens(6)
    let other = world.tokens(3, seed: 5)
    _ = try world.decoder.bits(prompt: prompt, chunk: 4, answer: [1, 2])
    let found = try world.decoder.bits(prompt: other, chunk: 4, answer: [3], from: 4)
    _ = try world.expected.bits(prompt: prompt, chunk: 4)
    #expect(try found == world.expected.bits(prompt: other, chunk: 4, answer: [3], from: 4))
  }

  @Test(arguments: [true, false])
  func `a step that is given up leaves a decoder that works`(_ waitsForMemory: Bool) throws {
    let world = try World(
      "mixtral-nano-F16",
      device: EmulatedDevice.Configuration(seed: 7, waitsForMemory: waitsForMemory))
    let prompt = world.tokens(3)
    for last in 0..<world.model.hyperparameters.layerCount {
      var calls = 0
      #expect(throws: Cancelled.self) {
        try world.decoder.forward(
          prompt, rows: 2..<3, position: 0, phase: .prefill, observer: nil
        ) {
          calls += 1
          if calls > last { throw Cancelled() }
        }
      }
      #expect(calls == last + 1)
    }
    #expect(
      try world.decoder.bits(prompt: prompt, chunk: 4, answer: [4])
        == world.expected.bits(prompt: prompt, chunk: 4, answer: [4]))
  }

  @Test
  func `an error of the server ends the step, and the next one is right`() throws {
    let world = try World("qwen3moe-nano-Q5_0")
    let layers = world.model.hyperparameters.layerCount
    for layer in 0..<layers {
      world.serving.failingLayer = layer
      #expect(throws: HostServing.Failure.asked(layer: layer)) {
        try world.decoder.bits(prompt: [1, 2], chunk: 4)
      }
    }
    world.serving.failingLayer = nil
    #expect(world.serving.abandoned.count == layers)
    let prompt = world.tokens(3)
    #expect(
      try world.decoder.bits(prompt: prompt, chunk: 4)
        == world.expected.bits(prompt: prompt, chunk: 4))
  }

  @Test
  func `a device that is lost in the middle ends the step with that error`() throws {
    let counter = LaunchCounter()
    let counting = EmulatedDevice.Configuration(ignoredOperations: counter.note)
    _ = try World("qwen2moe-nano-F16", device: counting)
      .decoder.bits(prompt: [1, 2, 3], chunk: 4, answer: [4])
    let launches = counter.count
    try #require(launches > 50)
    for number in stride(from: 1, through: launches, by: launches / 7) {
      let world = try World(
        "qwen2moe-nano-F16",
        device: EmulatedDevice.Configuration(failures: [.launch(number: number)]))
      let error = #expect(throws: DeviceError.self) {
        try world.decoder.bits(prompt: [1, 2, 3], chunk: 4, answer: [4])
      }
      guard case .lost? = error else {
        Issue.record("launch \(number): \(String(describing: error))")
        continue
      }
      #expect(throws: DeviceError.self) { try world.decoder.bits(prompt: [1], chunk: 4) }
    }
  }

  @Test(arguments: [[], [0], [1]] as [Set<Int>])
  func `inputs stay until they are taken, and states until they have come`(
    _ host: Set<Int>
  ) throws {
    for seed in 1...8 as ClosedRange<UInt64> {
      // Nothing is read back between the chunks.
      let world = try World(
        "mixtral-nano-F16", chunk: 1, placement: DensePlacement(hostLayers: host),
        device: EmulatedDevice.Configuration(seed: seed))
      let prompt = world.tokens(5)
      #expect(
        try world.decoder.bits(prompt: prompt, chunk: 1)
          == world.expected.bits(prompt: prompt, chunk: 1), "order \(seed)")
    }
  }

  @Test
  func `the layers' numbers may pass the end of 32 bits`() throws {
    let world = try World("mixtral-nano-F16", device: EmulatedDevice.Configuration(seed: 3))
    let start = UInt32.max - 6
    let exchange = world.serving.exchange
    for word in [exchange.routed, exchange.cpuDone, exchange.gpuDone] {
      world.device.write(start, to: word)
    }
    world.decoder.sequence = start
    let prompt = world.tokens(5)
    #expect(
      try world.decoder.bits(prompt: prompt, chunk: 2, answer: [1, 2])
        == world.expected.bits(prompt: prompt, chunk: 2, answer: [1, 2]))
    #expect(world.decoder.sequence < start)
  }

  @Test
  func `where nothing is pinned for weights the driver stages them`() throws {
    // Room for the exchange, inputs and logits, but not for two buffers of 4 MiB.
    let world = try World(
      "mixtral-nano-F16",
      device: EmulatedDevice.Configuration(pinnedByteCount: 2 << 20))
    guard case .cannotPin? = world.decoder.pinningRefusal else {
      Issue.record("nothing was refused")
      return
    }
    let prompt = world.tokens(3)
    #expect(
      try world.decoder.bits(prompt: prompt, chunk: 4)
        == world.expected.bits(prompt: prompt, chunk: 4))
  }

  @Test
  func `many wanted rows come in their order`() throws {
    let world = try World("mixtral-nano-F16", chunk: 20)
    let prompt = world.tokens(20)
    let found = try world.decoder.bits(prompt: prompt, chunk: 20, wantsAll: true)
    #expect(found.count == 20)
    #expect(try found == world.expected.bits(prompt: prompt, chunk: 20, wantsAll: true))
    // Any of them, again and in any order.
    for rows in [17..<20, 3..<4, 15..<17] {
      var again: [Int: [UInt32]] = [:]
      try world.decoder.withLogits(ofRows: rows) { again[$0] = $1.map(\.bitPattern) }
      #expect(again == Dictionary(uniqueKeysWithValues: rows.map { ($0, found[$0]) }))
    }
  }

  @Test
  func `the server is told of every step, and serves every MoE layer once, in order`() throws {
    let world = try World("deepseek2-nano-F16")
    _ = try world.decoder.bits(prompt: world.tokens(6), chunk: 4, answer: [1])
    let layers = world.model.expertLayers.keys.sorted()
    #expect(world.serving.served == layers + layers + layers)
    #expect(world.serving.steps.map(\.tokens) == [4, 2, 1])
    #expect(world.serving.steps.map(\.phase) == [.prefill, .prefill, .decode])
    #expect(world.serving.steps.map(\.position) == [0, 4, 6])
  }
}

/// Counts the launches of a device, and leaves none out.
private final class LaunchCounter: Sendable {
  private let number = Mutex(0)
  var count: Int { number.withLock { $0 } }

  @Sendable func note(_ operation: EmulatedOperation) -> Bool {
    if operation.kind == .launch { number.withLock { $0 += 1 } }
    return false
  }
}
