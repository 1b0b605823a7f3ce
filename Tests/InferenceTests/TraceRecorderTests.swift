import Experts
import Inference
import Models
import RoutingTraces
import Testing

@Suite struct TraceRecorderTests {
  private static let files = [
    "deepseek2-nano-F16", "deepseek3-nano-F16", "gpt-oss-nano-F16", "mixtral-nano-F16",
    "qwen2moe-nano-F16", "qwen3moe-nano-F16",
  ]
  private let prompt = [5, 99, 42, 7, 260, 301, 17, 8, 9, 120]

  private func record(
    _ name: String, chunk: Int = 128, maximumTokens: Int = 3,
    isCancelled: () -> Bool = { false }
  ) throws -> (trace: RoutingTrace, model: DecoderModel) {
    let loaded = try loadFixture(name)
    let session = try GenerationSession(loaded, options: .exact(chunk: chunk))
    var text: [UInt8] = []
    let recorder = try TraceRecorder(loaded.model, name: name) { text += $0 }
    session.observer = recorder
    _ = try session.generate(
      prompt: prompt, sampling: .greedy, maximumTokens: maximumTokens, isCancelled: isCancelled)
    #expect(recorder.failure == nil)
    return (try RoutingTrace(reading: text), loaded.model)
  }

  @Test(arguments: files)
  func `a recorded trace holds the routing of every layer and step`(_ name: String) throws {
    let (trace, model) = try record(name)
    let layers = model.expertLayers.keys.sorted()
    #expect(trace.header.layers == layers.count)
    #expect(trace.header.experts == model.hyperparameters.expertCount)
    #expect(trace.header.activated == model.hyperparameters.activeExpertCount)
    // One prompt in one chunk, then the two tokens that are taken in.
    #expect(
      trace.events.map(\.step) == [0, 1, 2].flatMap { Array(repeating: $0, count: layers.count) })
    for event in trace.events {
      #expect(event.phase == (event.step == 0 ? .prefill : .decode))
      #expect(event.ids.count == (event.step == 0 ? 10 : 1) * trace.header.activated)
      let later = min(3, layers.count - 1 - event.layer)
      #expect(event.predicted.map(\.layer) == Array((event.layer + 1)..<(event.layer + 1 + later)))
    }

    let recorder = RoutingRecorder()
    let runner = try SequenceRunner(model: model, options: .exact())
    _ = try runner.accept(prompt, observer: recorder)
    for (place, layer) in layers.enumerated() {
      #expect(trace.events[place].ids == recorder.experts[layer], "layer \(layer)")
    }
  }

  @Test(arguments: files)
  func `scores are probabilities, and the best of them were chosen`(_ name: String) throws {
    let (trace, _) = try record(name)
    let experts = trace.header.experts
    let activated = trace.header.activated
    for event in trace.events {
      #expect(event.scores.allSatisfy { $0 > 0 && $0 < 1 })
      // V3 chooses by a bias too, and by groups.
      guard name != "deepseek3-nano-F16" else { continue }
      for token in 0..<(event.ids.count / activated) {
        let row = Array(event.scores[(token * experts)..<((token + 1) * experts)])
        #expect(abs(row.reduce(0, +) - 1) < 1e-5)
        let best = row.indices.sorted { (row[$1], $0) < (row[$0], $1) }.prefix(activated)
        #expect(Set(best) == Set(event.ids[(token * activated)..<((token + 1) * activated)]))
      }
    }
  }

  @Test func `chunks of a prompt are steps of their own and route alike`() throws {
    let whole = try record("qwen3moe-nano-F16").trace
    let parts = try record("qwen3moe-nano-F16", chunk: 4).trace
    let layers = whole.header.layers
    #expect(parts.events.filter { $0.phase == .prefill }.count == 3 * layers)
    for layer in 0..<layers {
      let pieces = parts.events.filter { $0.phase == .prefill && $0.layer == layer }
      #expect(pieces.flatMap(\.ids) == whole.events[layer].ids)
      #expect(pieces.flatMap(\.scores) == whole.events[layer].scores)
    }
  }

  @Test func `a cancelled run leaves whole steps only`() throws {
    var questions = 0
    let trace = try record("qwen3moe-nano-F16", chunk: 4, maximumTokens: 8) {
      questions += 1
      return questions > 8
    }.trace
    #expect(!trace.events.isEmpty)
    #expect(trace.events.count.isMultiple(of: trace.header.layers))
  }

  @Test
  func `what a layer foresees of the next agrees with it far better than chance`()
    throws
  {
    // The prediction and the routing must come from the same router behind the same norm: where both
    // see the same hidden state they agree. Attention and experts change it, so they agree roughly.
    let trace = try record("deepseek2-nano-F16").trace
    var agreement = 0
    var count = 0
    let experts = trace.header.experts
    for (event, next) in zip(trace.events, trace.events.dropFirst()) where next.layer > event.layer
    {
      let predicted = try #require(event.predicted.first)
      for token in 0..<(event.ids.count / trace.header.activated) {
        let rows = (token * experts)..<((token + 1) * experts)
        let best = rows.max { predicted.scores[$0] < predicted.scores[$1] }
        let chosen = next.ids[
          (token * trace.header.activated)..<((token + 1) * trace.header.activated)]
        agreement += chosen.contains(best! - token * experts) ? 1 : 0
        count += 1
      }
    }
    let chance = Double(trace.header.activated) / Double(experts)
    #expect(Double(agreement) / Double(count) > 1.5 * chance, "\(agreement) of \(count)")
  }
}
