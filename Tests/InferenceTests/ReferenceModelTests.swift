import CPUCompute
import Foundation
import Inference
import Models
import Synchronization
import TestSupport
import Testing

/// Small models with random weights, in the layouts and element types that published files have,
/// against what llama.cpp computes with every weight as F32 (recipe: `Tools/golden/models`).
@Suite struct ReferenceModelTests {
  /// A file and the reference whose weights it holds.
  struct Sample: Sendable, CustomStringConvertible {
    var file: String
    var reference: String
    var isQuantized = false
    var description: String { file }
    init(_ file: String, _ reference: String? = nil, quantized: Bool = false) {
      self.file = file
      self.reference = reference ?? file
      isQuantized = quantized
    }
  }

  static let samples: [Sample] = [
    Sample("deepseek2-nano-F16"), Sample("deepseek3-nano-F16"), Sample("gpt-oss-nano-F16"),
    Sample("mixtral-nano-F16"), Sample("qwen2moe-nano-F16"), Sample("qwen3moe-nano-F16"),
    Sample("deepseek2-nano-F16-legacy-kv_b", "deepseek2-nano-F16"),
    Sample("deepseek2-nano-F16-fused-gate_up", "deepseek2-nano-F16"),
    Sample("mixtral-nano-F16-per-expert", "mixtral-nano-F16"),
    Sample("mixtral-nano-F16-split-00001-of-00003", "mixtral-nano-F16"),
    Sample("mixtral-nano-F16-split-00002-of-00003", "mixtral-nano-F16"),
    Sample("mixtral-nano-F16-split-00003-of-00003", "mixtral-nano-F16"),
    Sample("deepseek2-nano-Q4_0", quantized: true), Sample("deepseek3-nano-Q8_0", quantized: true),
    Sample("gpt-oss-nano-MXFP4_MOE", quantized: true),
    Sample("qwen3moe-nano-Q5_0", quantized: true), Sample("mixtral-mini-Q4_K", quantized: true),
  ]

  @Test(arguments: samples)
  func `logits, experts and greedy tokens are the reference's`(_ sample: Sample) throws {
    let reference = try Reference(named: sample.reference)
    let loaded = try loadFixture(sample.file)
    let runner = try SequenceRunner(model: loaded.model, options: .exact())
    let recorder = RoutingRecorder()
    var logits = try runner.accept(reference.tokens, observer: recorder)

    // Activations that meet quantised weights are int8: near-ties of a router may fall the other way.
    let agree = reference.exact.experts.allSatisfy { layer, experts in
      Int(layer).map { recorder.experts[$0] } == experts
    }
    if sample.isQuantized {
      #expect(
        rootMeanSquare(logits.map(Double.init), reference.exact.logits)
          < 2 * rootMeanSquare(reference.llama.logits, reference.exact.logits))
      guard agree else { return }
    }
    #expect(agree, "other experts")
    let worst = zip(logits, reference.exact.logits).map { abs(Double($0) - $1) }.max() ?? .infinity
    let bound = sample.isQuantized ? 0.12 : 2e-4
    #expect(worst < bound * reference.spread, "off by \(worst / reference.spread) of the spread")
    let margin = sample.isQuantized ? 0.1 : 0.02
    for (token, gap) in zip(reference.exact.greedy, reference.exact.margins) {
      let own = argmax(logits)
      #expect(own == token || gap <= margin, "token \(own) where the reference has \(token)")
      logits = try runner.accept([token], phase: .decode)
    }
  }

  @Test(arguments: samples.filter { !$0.isQuantized }.prefix(6))
  func `the best token is the reference's at every position`(_ sample: Sample) throws {
    let reference = try Reference(named: sample.reference)
    let runner = try SequenceRunner(model: try loadFixture(sample.file).model, options: .exact())
    var found: [Int] = []
    try runner.acceptEach(reference.tokens) { _, logits in found.append(argmax(Array(logits))) }
    #expect(found == reference.exact.argmax)
  }

  @Test(arguments: samples.prefix(7))
  func `chunks, threads and instruction sets change no bit`(_ sample: Sample) throws {
    let reference = try Reference(named: sample.reference)
    let model = try loadFixture(sample.file).model
    let whole = try SequenceRunner(model: model, options: .exact(threads: 1))
      .accept(reference.tokens)
    for chunk in [1, 5, 23] {
      for set in InstructionSet.allCases where set.isAvailable {
        var options = SessionOptions.exact(threads: chunk % 3 + 1, chunk: chunk)
        options.instructionSet = set
        let logits = try SequenceRunner(model: model, options: options).accept(reference.tokens)
        #expect(logits == whole, "chunks of \(chunk), \(set)")
      }
    }
  }

  @Test(arguments: ["deepseek2-nano-F16", "gpt-oss-nano-F16", "mixtral-nano-F16"])
  func `a prompt longer than a chunk and the trained window has the same bits however it is cut`(
    _ name: String
  ) throws {
    let model = try loadFixture(name).model
    let tokens = (0..<150).map { ($0 * 131 + 7) % 500 }
    let whole = try SequenceRunner(model: model, options: .exact(chunk: 150)).accept(tokens)
    for chunk in [128, 149, 33] {
      let runner = try SequenceRunner(model: model, options: .exact(chunk: chunk))
      #expect(try runner.accept(tokens) == whole, "chunks of \(chunk)")
    }
  }

  @Test(arguments: ["deepseek2-nano-Q4_0", "mixtral-mini-Q4_K", "gpt-oss-nano-MXFP4_MOE"])
  func `a sequence has the same bits alone and beside others of the same model`(
    _ name: String
  ) throws {
    let prompts = (0..<4).map { seed in (0..<40).map { ($0 * 37 + seed * 101 + 5) % 500 } }
    let alone = try prompts.map {
      try SequenceRunner(model: try loadFixture(name).model, options: .exact()).accept($0)
    }
    // All four pack the same weights, use them at once, and take turns in chunks of their own.
    let model = try loadFixture(name).model
    let found = Mutex([[Float]](repeating: [], count: prompts.count))
    let finished = DispatchSemaphore(value: 0)
    for index in prompts.indices {
      Thread {
        let runner = try? SequenceRunner(
          model: model, options: .exact(threads: index % 2 + 1, chunk: 7 + index))
        let logits = (try? runner?.accept(prompts[index])) ?? []
        found.withLock { $0[index] = logits }
        finished.signal()
      }.start()
    }
    for _ in prompts { finished.wait() }
    #expect(found.withLock { $0 } == alone)
  }

  @Test(arguments: ["deepseek2-nano-F16", "gpt-oss-nano-F16", "qwen3moe-nano-F16"])
  func `caches in F16 and Q8_0 stay close to F32`(_ name: String) throws {
    let reference = try Reference(named: name)
    let model = try loadFixture(name).model
    for (type, bound) in [(KeyValueType.f16, 0.002), (.q8_0, 0.03)] {
      let options = SessionOptions(keyValueType: type, threadCount: 1)
      let logits = try SequenceRunner(model: model, options: options).accept(reference.tokens)
      let error = rootMeanSquare(logits.map(Double.init), reference.exact.logits)
      #expect(error > 0 && error < bound * reference.spread, "\(type): \(error)")
    }
  }
}

private func rootMeanSquare(_ left: [Double], _ right: [Double]) -> Double {
  (zip(left, right).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / Double(left.count))
    .squareRoot()
}
