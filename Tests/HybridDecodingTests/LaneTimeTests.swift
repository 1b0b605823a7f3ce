import EmulatedDevice
import Experts
import HybridDecoding
import HybridExperts
import Models
import Synchronization
import Testing

/// What a step's lanes take, by a modelled clock.
@Suite struct LaneTimeTests {
  /// Some of the ways to run models that have shared experts.
  private static let runs = EngineRun.few.filter {
    ["deepseek2-nano-Q4_0", "qwen2moe-nano-F16"].contains($0.model)
  }.prefix(6)

  private func times(
    _ run: EngineRun, signal: Double = 3, placement: DensePlacement = DensePlacement()
  ) throws -> LaneTimes {
    var run = run
    run.recordsTimeline = true
    let engine = try Engine(run, placement: placement) { configuration in
      var times = EmulatedTimes()
      times.signalMicroseconds = signal
      configuration.timing = .modelled(times)
      configuration.seed = nil
    }
    let prompt = (0..<7).map { ($0 * 31 + 3) % engine.model.hyperparameters.vocabularySize }
    _ = try engine.decoder.bits(prompt: prompt, chunk: run.chunk, answer: [1, 2, 3])
    return try engine.executor.laneTimes()
  }

  @Test(arguments: runs)
  func `dense work and layers follow each other without a gap`(_ run: EngineRun) throws {
    let times = try times(run)
    let dense = times.measured.spans.filter { $0.kind == .dense }
    for (step, layers) in Dictionary(grouping: times.layers, by: \.step) {
      let work = dense.filter { $0.step == step }
      #expect(work.count == layers.count + 1)
      for (layer, (before, after)) in zip(layers, zip(work, work.dropFirst())) {
        #expect(before.end == layer.start && before.layer == layer.layer)
        #expect(abs(after.start - (layer.start + layer.measured)) < 1e-9)
        let inside = times.measured.spans.filter {
          $0.step == step && $0.layer == layer.layer && $0.lane == .gpu && $0.kind != .dense
        }
        #expect(inside.contains { $0.kind == .shared })
        // One thing at a time, and nothing outside of the layer.
        for (one, next) in zip(inside, inside.dropFirst()) { #expect(one.end <= next.start + 1e-9) }
        #expect(inside.allSatisfy { $0.start >= layer.start - 1e-9 })
        #expect(inside.allSatisfy { $0.end <= layer.start + layer.measured + 1e-9 })
      }
    }
    // What was predicted has the same parts, but for the output, which costs nothing here.
    #expect(
      times.predicted.spans.count { $0.kind == .dense && $0.layer != nil } == times.layers.count)
  }

  @Test(arguments: runs.prefix(4))
  func `a layer's time holds the way to the host and back`(_ run: EngineRun) throws {
    for (near, far) in zip(try times(run, signal: 0).layers, try times(run, signal: 500).layers) {
      // Where the host launches the rest itself, there is no way back.
      #expect(far.measured >= (run.waitsForMemory ? 1000 : 500))
      #expect(near.measured < far.measured)
      #expect(near.predicted == far.predicted)
    }
  }

  @Test func `layers that the host computes are work of the processor`() throws {
    let run = try #require(Self.runs.first)
    let dense = try times(run, placement: DensePlacement(hostLayers: [1])).measured.spans.filter {
      $0.kind == .dense
    }
    let steps = Set(dense.map(\.step)).count
    #expect(dense.count { $0.lane == .cpu } == steps)
    for host in dense where host.lane == .cpu {
      #expect(dense.contains { $0.lane == .gpu && $0.end == host.start })
      #expect(dense.contains { $0.lane == .gpu && $0.start == host.end })
    }
  }

  @Test(arguments: [EngineRun.few.first { $0.system(experts: 8).prefetching == .off }])
  func `routers of later layers are asked only where somebody wants to know`(
    _ run: EngineRun?
  ) throws {
    let run = try #require(run)
    let asked = Atomic(0)
    let engine = try Engine(run) { configuration in
      configuration.ignoredOperations = {
        if $0.kernel == "foresee" { asked.wrappingAdd(1, ordering: .relaxed) }
        return false
      }
    }
    _ = try engine.decoder.bits(prompt: [1, 2], chunk: run.chunk, answer: [3])
    #expect(asked.load(ordering: .relaxed) == 0)
    let (found, expected) = (Recorder(), Recorder())
    _ = try engine.decoder.bits(prompt: [1, 2], chunk: run.chunk, answer: [3], observer: found)
    _ = try engine.expected.bits(prompt: [1, 2], chunk: run.chunk, answer: [3], observer: expected)
    #expect(asked.load(ordering: .relaxed) > 0)
    #expect(found.bits == expected.bits)
    // And not for those who see routings, but no scores.
    let before = asked.load(ordering: .relaxed)
    _ = try engine.decoder.bits(
      prompt: [1, 2], chunk: run.chunk, answer: [3], observer: Recorder(readsScores: false))
    #expect(asked.load(ordering: .relaxed) == before)
  }
}
