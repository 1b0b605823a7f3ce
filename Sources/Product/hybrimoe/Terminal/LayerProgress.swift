import Inference

/// Progress of a computation, counted in layers.
///
/// A step of a large model takes seconds, so chunks of tokens are too coarse to count. The engine
/// asks between layers whether it should stop; each question is one layer done.
final class LayerProgress {
  private let line: ProgressLine
  private let totalLayers: Int
  private var doneLayers = 0

  /// - Parameter passes: how many times all layers run.
  convenience init(_ line: ProgressLine, model: LoadedModel, passes: Int) {
    self.init(line, layerCount: model.hyperparameters.layerCount, passes: passes)
  }

  init(_ line: ProgressLine, layerCount: Int, passes: Int) {
    self.line = line
    totalLayers = max(1, passes) * layerCount
  }

  /// Counts a layer.
  func advance() {
    doneLayers += 1
    line.update(doneLayers, of: totalLayers)
  }

  /// Counts a layer and tells whether the user wants to stop.
  func advanceAndAsk() -> Bool {
    advance()
    return Interrupts.isWaiting
  }

  func finish() { line.finish() }

  /// Passes that a prompt needs, read in chunks.
  static func passes(tokens count: Int) -> Int {
    let chunk = SessionOptions.defaultChunkTokenCount
    return (max(0, count) + chunk - 1) / chunk
  }
}

extension GenerationSession {
  /// Progress of reading a prompt, of which the cache may hold the beginning already.
  func progress(_ line: ProgressLine, prompt: [Int]) -> LayerProgress {
    let kept = zip(prompt, runner.tokens).prefix { $0 == $1 }.count
    return LayerProgress(
      line, model: loaded, passes: LayerProgress.passes(tokens: prompt.count - kept))
  }
}
