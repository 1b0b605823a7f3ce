import CPUCompute
import GGUF

/// One layer of a decoder: attention and feed-forward, each behind a norm and added to the residual.
package struct DecoderLayer: Sendable {
  package enum FeedForward: Sendable {
    case dense(DenseFeedForward)
    case experts(ExpertFeedForward)
  }

  package let attentionNorm: FloatVector
  package let attention: any AttentionBlock
  package let feedForwardNorm: FloatVector
  package let feedForward: FeedForward
}

/// A decoder-only language model as its weights and the order of its operations. It holds no state:
/// a sequence's state is its `KeyValueCache`.
///
/// The architectures differ in how a file becomes this value; the step itself is the same for all.
public struct DecoderModel: Sendable {
  public let hyperparameters: Hyperparameters
  /// The file whose mapping the weights are views of; held so that it outlives them.
  package let file: GGUFFile
  /// The packed copies of the weights; nil where products read the file's own layout.
  public let store: PackedStore?
  public let rotary: RotaryEmbedding
  /// [vocabulary, hidden]
  package let embedding: WeightMatrix
  package let layers: [DecoderLayer]
  package let outputNorm: FloatVector
  /// [vocabulary, hidden]
  package let output: WeightMatrix

  /// How each layer caches.
  public var cacheShapes: [CacheShape] { layers.map(\.attention.cacheShape) }

  /// Bytes of work space that one token of a step takes at most, beside the KV cache.
  public var workBytesPerToken: Int {
    let widest = layers.map { layer in
      switch layer.feedForward {
      case .dense(let network): layer.attention.workPerToken + network.workPerToken
      case .experts(let block): layer.attention.workPerToken + block.workPerToken
      }
    }
    // Hidden state, its norm, a layer's change, and the norm's records in both widths.
    return ((widest.max() ?? 0) + 4 * hyperparameters.hiddenSize) * MemoryLayout<Float>.stride
  }

  /// Bytes of the model's tensors in its file.
  public var weightByteCount: Int { file.tensors.reduce(0) { $0 + $1.byteCount } }

  /// The routed experts by layer number.
  public var expertLayers: [Int: ExpertLayer] {
    var found: [Int: ExpertLayer] = [:]
    for (index, layer) in layers.enumerated() {
      if case .experts(let block) = layer.feedForward { found[index] = block.experts }
    }
    return found
  }

  /// Takes some tokens of one sequence through all layers; their keys and values enter the cache.
  /// - Parameters:
  ///   - tokens: valid token numbers.
  ///   - rows: the tokens whose final states are wanted: nothing is computed for the others in the last
  ///     layer behind its attention, unless an observer wants to see its routing.
  ///   - checkpoint: called between layers; what it throws ends the step.
  /// - Returns: the final normalised hidden states [rows, hidden], valid until the workspace is released.
  /// - Throws: `HostMemoryError.cannotAllocate`, and what the expert executor throws.
  public func forward(
    _ tokens: [Int], rows: Range<Int>, step: Step, checkpoint: () throws -> Void = {}
  ) throws -> Activation {
    let workspace = step.workspace
    let columns = hyperparameters.hiddenSize
    var hidden = try workspace.take(rows: tokens.count, columns: columns)
    var normed = try workspace.take(rows: tokens.count, columns: columns, keepsRecords: true)
    var change = try workspace.take(rows: tokens.count, columns: columns)
    rotary.fill(step.angles, from: step.position, count: tokens.count)
    for (row, token) in tokens.enumerated() {
      step.compute.readRow(token, of: embedding, into: hidden.row(row))
    }
    let profile = step.compute.profile
    profile?.mark(.other)
    let epsilon = hyperparameters.normEpsilon
    for (index, layer) in layers.enumerated() {
      try checkpoint()
      let mark = workspace.mark
      if index == 0 {
        step.compute.normalize(hidden, weight: layer.attentionNorm, epsilon: epsilon, into: normed)
      } else {
        step.compute.add(
          change, to: hidden, normalizedBy: layer.attentionNorm, epsilon: epsilon, into: normed)
      }
      profile?.mark(.norms)
      try layer.attention.attend(normed, layer: index, step: step, into: change)
      profile?.mark(.attentionProjections)
      if index == layers.count - 1, step.observer == nil {
        (hidden, normed, change) = (hidden.rows(rows), normed.rows(rows), change.rows(rows))
        if rows.isEmpty { return normed }
      }
      step.compute.add(
        change, to: hidden, normalizedBy: layer.feedForwardNorm, epsilon: epsilon, into: normed)
      profile?.mark(.norms)
      switch layer.feedForward {
      case .dense(let network):
        try network.forward(normed, step: step, into: change)
        profile?.mark(.denseFeedForward)
      case .experts(let block):
        let predicted = try predictedScores(of: hidden, behind: index, step: step)
        try block.forward(normed, layer: index, step: step, predicted: predicted, into: change)
      }
      workspace.release(to: mark)
    }
    step.compute.add(change, to: hidden, normalizedBy: outputNorm, epsilon: epsilon, into: normed)
    profile?.mark(.norms)
    return step.observer == nil ? normed : normed.rows(rows)
  }

  /// How many later layers' routers are asked.
  package static let predictedLayerCount = 3

  /// What the routers of the next layers make of this layer's hidden state, each behind its own norm:
  /// the state changes little from layer to layer, so that this predicts their experts.
  package func predictedScores(
    of hidden: Activation, behind layer: Int, step: Step
  ) throws -> [(layer: Int, scores: [Float])] {
    guard step.observer?.readsScores == true else { return [] }
    var predicted: [(layer: Int, scores: [Float])] = []
    let epsilon = hyperparameters.normEpsilon
    for later in layers.indices.dropFirst(layer + 1) {
      guard predicted.count < DecoderModel.predictedLayerCount else { break }
      guard case .experts(let block) = layers[later].feedForward else { continue }
      let mark = step.workspace.mark
      let normed = try step.workspace.take(rows: hidden.rowCount, columns: hidden.columnCount)
      step.compute.normalize(
        hidden, weight: layers[later].feedForwardNorm, epsilon: epsilon, into: normed)
      predicted.append((later, try block.router.probabilities(of: normed, step: step)))
      step.workspace.release(to: mark)
    }
    return predicted
  }

  /// Logits of final hidden states. hidden: [tokens, hidden] → [tokens, vocabulary]
  public func logits(of hidden: Activation, step: Step) throws -> Activation {
    let logits = try step.workspace.take(rows: hidden.rowCount, columns: output.rowCount)
    try step.compute.multiply([MatrixProduct(hidden, output, into: logits)])
    step.compute.profile?.mark(.outputHead)
    return logits
  }
}
