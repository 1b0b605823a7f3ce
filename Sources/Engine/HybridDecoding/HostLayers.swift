import CPUCompute
import Experts
import Models

/// The layers whose attention and feed-forward the processor computes: the processor engine's own code, on
/// caches of its own.
final class HostLayers {
  private let model: DecoderModel
  private let compute: CPUBackend
  private let cache: KeyValueCache
  private let experts: CPUExpertExecutor
  private let workspace = Workspace()

  /// - Throws: `HostMemoryError.cannotAllocate`.
  init(_ setup: SequenceSetup, layers: Set<Int>) throws {
    model = setup.model
    compute = setup.compute
    let shapes = model.cacheShapes.enumerated().map { index, shape in
      var shape = shape
      if !layers.contains(index) { shape.headCount = 0 }
      return shape
    }
    cache = try KeyValueCache(
      layers: shapes, type: setup.keyValueType, capacity: setup.contextLength)
    experts = CPUExpertExecutor(
      layers: model.expertLayers.filter { layers.contains($0.key) }, compute: compute)
  }

  /// Takes a step's hidden state through some layers, in place.
  /// - Parameter checkpoint: called before each layer but the first.
  /// - Throws: `HostMemoryError.cannotAllocate`, what `checkpoint` throws.
  func run(
    _ layers: Range<Int>, _ hidden: Activation, angles: RotaryAngles, position: Int, phase: Phase,
    observer: (any StepObserver)?, checkpoint: () throws -> Void
  ) throws {
    let mark = workspace.mark
    defer { workspace.release(to: mark) }
    let step = Step(
      compute: compute, workspace: workspace, cache: cache, angles: angles, experts: experts,
      position: position, phase: phase, observer: observer)
    let epsilon = model.hyperparameters.normEpsilon
    let (rows, columns) = (hidden.rowCount, hidden.columnCount)
    let normed = try workspace.take(rows: rows, columns: columns, keepsRecords: true)
    let change = try workspace.take(rows: rows, columns: columns)
    for index in layers {
      let layer = model.layers[index]
      if index > layers.lowerBound { try checkpoint() }
      let layerMark = workspace.mark
      defer { workspace.release(to: layerMark) }
      compute.normalize(hidden, weight: layer.attentionNorm, epsilon: epsilon, into: normed)
      try layer.attention.attend(normed, layer: index, step: step, into: change)
      compute.add(
        change, to: hidden, normalizedBy: layer.feedForwardNorm, epsilon: epsilon, into: normed)
      switch layer.feedForward {
      case .dense(let network): try network.forward(normed, step: step, into: change)
      case .experts(let block):
        let predicted = try model.predictedScores(of: hidden, behind: index, step: step)
        try block.forward(normed, layer: index, step: step, predicted: predicted, into: change)
      }
      compute.add(change, to: hidden)
    }
  }
}
