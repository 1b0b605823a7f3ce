import CPUCompute
import Foundation
import Inference
import Models
import Testing

/// Computes experts on a thread of its own while the caller goes on, as a device or a remote host would.
private final class BackgroundExecutor: ExpertExecutor {
  private let inner: CPUExpertExecutor
  private var thread: Thread?
  private let finished = DispatchSemaphore(value: 0)
  private(set) var demands: [(layer: Int, tokens: Int, ranks: Int)] = []
  private(set) var submittedBeforeWait = true

  init(layers: [Int: ExpertLayer]) throws {
    inner = CPUExpertExecutor(layers: layers, compute: try CPUBackend(threadCount: 1))
  }

  func submit(_ demand: ExpertDemand) throws {
    if thread != nil { submittedBeforeWait = false }
    demands.append((demand.layer, demand.input.rowCount, demand.ranks))
    // Safety: the caller touches neither before `wait` has returned.
    nonisolated(unsafe) let work = (inner, demand)
    let finished = finished
    let thread = Thread {
      do {
        try work.0.submit(work.1)
        try work.0.wait()
      } catch { Issue.record(error) }
      finished.signal()
    }
    self.thread = thread
    thread.start()
  }

  func wait() throws {
    finished.wait()
    thread = nil
  }
}

@Suite struct ExpertExecutorTests {
  @Test(arguments: ["deepseek2-nano-F16", "qwen2moe-nano-F16", "gpt-oss-nano-MXFP4_MOE"])
  func `another executor takes the place without a model knowing`(_ name: String) throws {
    let reference = try Reference(
      named: name)
    let model = try loadFixture(name).model
    let plain = try SequenceRunner(model: model, options: .exact()).accept(reference.tokens)
    let executor = try BackgroundExecutor(layers: model.expertLayers)
    let runner = try SequenceRunner(model: model, options: .exact(chunk: 10)) {
      try CPUSequenceBackend($0, experts: executor)
    }
    #expect(try runner.accept(reference.tokens) == plain)
    #expect(executor.submittedBeforeWait)
    // Three chunks, each layer with experts once: whole layers, never token by token. Of the last layer
    // only the last token's state is wanted.
    let layers = model.expertLayers.keys.sorted()
    let early = Array(layers.dropLast())
    #expect(executor.demands.map(\.layer) == early + early + layers)
    #expect(
      executor.demands.map(\.tokens).reduce(0, +) == reference.tokens.count * early.count + 1)
  }
}
