import Devices
import EmulatedDevice
import Experts
import HybridDecoding
import Models
import TestSupport
import Testing

/// What happens around the steps of the whole engine.
@Suite struct EngineStepTests {
  struct Cancelled: Error {}

  /// Some of the ways to run it, those with the model of a name.
  private static func runs(_ model: String, _ count: Int) -> [EngineRun] {
    Array(EngineRun.few.filter { $0.model == model }.prefix(count))
  }

  @Test(arguments: runs("qwen2moe-nano-F16", 12))
  func `a step that is given up after any layer leaves an engine that works`(
    _ run: EngineRun
  ) throws {
    let engine = try Engine(run)
    let tokens = (0..<run.chunk).map { $0 * 29 % engine.model.hyperparameters.vocabularySize }
    for last in 0..<engine.model.hyperparameters.layerCount {
      var calls = 0
      #expect(throws: Cancelled.self) {
        try engine.decoder.forward(
          tokens, rows: 0..<tokens.count, position: 0, phase: .prefill, observer: nil
        ) {
          calls += 1
          if calls > last { throw Cancelled() }
        }
      }
      #expect(
        try engine.decoder.bits(prompt: tokens, chunk: run.chunk, answer: [last])
          == engine.expected.bits(prompt: tokens, chunk: run.chunk, answer: [last]))
    }
  }

  @Test(arguments: runs("deepseek2-nano-Q4_0", 12))
  func `layers on the processor are not served, and change no bit`(_ run: EngineRun) throws {
    let layers = try World.load(run.model).hyperparameters.layerCount
    for host: Set<Int> in [[0], [layers - 1], [layers / 2, layers / 2 - 1], Set(0..<layers)] {
      let engine = try Engine(
        run, placement: DensePlacement(hostLayers: host, outputHeadOnHost: host == [0]))
      let prompt = (0..<7).map { ($0 * 31 + 3) % engine.model.hyperparameters.vocabularySize }
      let (found, expected) = (Recorder(), Recorder())
      #expect(
        try engine.decoder.bits(
          prompt: prompt, chunk: run.chunk, answer: [1, 2], observer: found)
          == engine.expected.bits(
            prompt: prompt, chunk: run.chunk, answer: [1, 2], observer: expected))
      #expect(found.bits == expected.bits)
    }
  }

  @Test(arguments: runs("deepseek3-nano-Q8_0", 6))
  func `a device that is lost ends the step with that error, wherever it is`(
    _ run: EngineRun
  ) throws {
    let tokens = [3, 1, 4, 1, 5, 9, 2, 6]
    for failure in [40, 90, 150, 260].flatMap({
      [EmulatedFailure.launch(number: $0), .copy(number: $0 / 4)]
    }) {
      let error = #expect(throws: DeviceError.self) {
        let engine = try Engine(run, failures: [failure])
        // Copies are few where the cache holds much, launches where chunks are long.
        for _ in 0..<60 {
          _ = try engine.decoder.bits(prompt: tokens, chunk: run.chunk, answer: [7, 8])
        }
      }
      guard case .lost? = error else {
        Issue.record("\(failure): \(String(describing: error))")
        continue
      }
    }
  }

  @Test(arguments: runs("qwen2moe-nano-F16", 12).filter(\.waitsForMemory), 1...2)
  func `streams that share a queue are found out, and no bit is other`(
    _ run: EngineRun, _ queues: Int
  ) throws {
    let tokens = [3, 1, 4, 1, 5, 9, 2, 6]
    let engine = try Engine(run, checksStreams: true) { $0.queueCount = queues }
    #expect(
      try engine.decoder.bits(prompt: tokens, chunk: run.chunk, answer: [7])
        == engine.expected.bits(prompt: tokens, chunk: run.chunk, answer: [7]))
    #expect(try engine.executor.statistics().notes.contains { $0.contains("hold each other up") })
  }

  @Test(arguments: EngineRun.few.filter(\.waitsForMemory).prefix(2))
  func `without looking they would wait for ever`(_ run: EngineRun) throws {
    let engine = try Engine(run) { $0.queueCount = 1 }
    #expect(throws: DeviceError.self) {
      try engine.decoder.bits(prompt: [1, 2], chunk: run.chunk, answer: [7])
    }
  }
}
