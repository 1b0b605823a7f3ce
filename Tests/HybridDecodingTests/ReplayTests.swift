import ExpertDirection
import ExpertSimulation
import Experts
import HybridDecoding
import Inference
import Models
import RoutingTraces
import Testing

@Suite struct ReplayTests {
  /// Every ninth of the covering set: all schedulers, several models, machines and caches.
  static let runs = EngineRun.few.enumerated().filter { $0.offset % 4 == 0 }.map(\.element)

  @Test(arguments: runs)
  func `the simulator makes the run's plans, hits and copies of its recorded trace`(
    _ run: EngineRun
  ) throws {
    var run = run
    run.recordsTimeline = true
    let engine = try Engine(run)
    var text: [UInt8] = []
    let recorder = try TraceRecorder(engine.model, name: run.model) { text += $0 }
    let vocabulary = engine.model.hyperparameters.vocabularySize
    let prompt = (0..<7).map { ($0 * 41 + 19) % vocabulary }
    let answer = (0..<6).map { ($0 * 29 + 3) % vocabulary }
    recorder.willRun(.prefill)
    _ = try engine.decoder.bits(prompt: prompt, chunk: run.chunk, observer: recorder)
    recorder.willRun(.decode)
    _ = try engine.decoder.bits(
      prompt: [], chunk: 1, answer: answer, from: prompt.count, observer: recorder)
    #expect(recorder.failure == nil)

    let trace = try RoutingTrace(reading: text)
    var simulator = try Simulator(
      machine: try Engine.costs(engine.model, machine: run.machine),
      system: run.system(experts: engine.model.hyperparameters.expertCount),
      popularity: engine.popularity, pieceBytes: Engine.pieceByteCount, recordsTimeline: true)
    for event in trace.events { try simulator.play(event) }
    let replayed = simulator.finish()
    #expect(engine.executor.report == replayed)
    #expect(engine.executor.predictedTimeline == simulator.timeline)
    #expect(replayed[.decode].activated > 0)
  }
}
