import CPUCompute
import Experts

/// What a sequence is computed by: it holds the sequence's state and takes tokens through the whole model,
/// on this processor or on several devices. What it computes has the same bits everywhere.
public protocol SequenceBackend: AnyObject {
  /// Takes some tokens through all layers; their keys and values enter the cache at `position`.
  /// Positions from there on are overwritten.
  /// - Parameters:
  ///   - tokens: valid token numbers, at most the chunk that the backend was made for.
  ///   - rows: the tokens whose final states are wanted.
  ///   - checkpoint: called between layers; what it throws ends the step, and the cache holds nothing of
  ///     it.
  /// - Throws: what the devices throw.
  func forward(
    _ tokens: [Int], rows: Range<Int>, position: Int, phase: Phase,
    observer: (any StepObserver)?, checkpoint: () throws -> Void
  ) throws

  /// Gives the logits of some of the wanted rows of the last `forward` to `body`, counted from 0, in order.
  /// - Throws: what the devices and `body` throw.
  func withLogits(
    ofRows rows: Range<Int>, _ body: (Int, UnsafeBufferPointer<Float>) throws -> Void
  ) throws
}

/// What a backend is made for.
public struct SequenceSetup {
  public let model: DecoderModel
  /// The processor's part, which every backend has.
  public let compute: CPUBackend
  public let contextLength: Int
  public let keyValueType: KeyValueType
  /// Tokens of one `forward` at most.
  public let chunkTokenCount: Int

  public init(
    model: DecoderModel, compute: CPUBackend, contextLength: Int, keyValueType: KeyValueType,
    chunkTokenCount: Int
  ) {
    self.model = model
    self.compute = compute
    self.contextLength = contextLength
    self.keyValueType = keyValueType
    self.chunkTokenCount = chunkTokenCount
  }
}

/// A sequence on this processor alone.
public final class CPUSequenceBackend: SequenceBackend {
  private let model: DecoderModel
  private let compute: CPUBackend
  private let cache: KeyValueCache
  private let workspace = Workspace()
  private let angles: RotaryAngles
  private let experts: any ExpertExecutor
  private let chunkTokenCount: Int
  private var start: Workspace.Mark
  /// The wanted rows of the last step, and the step.
  private var last: (hidden: Activation, step: Step)?

  /// - Parameter experts: what computes the routed experts; nil: this processor.
  /// - Throws: `HostMemoryError.cannotAllocate`.
  public init(_ setup: SequenceSetup, experts: (any ExpertExecutor)? = nil) throws {
    model = setup.model
    compute = setup.compute
    cache = try KeyValueCache(
      layers: model.cacheShapes, type: setup.keyValueType, capacity: setup.contextLength)
    chunkTokenCount = setup.chunkTokenCount
    angles = try RotaryAngles(
      rowCount: chunkTokenCount, pairCount: model.rotary.pairCount)
    self.experts =
      experts ?? CPUExpertExecutor(layers: model.expertLayers, compute: compute)
    start = workspace.mark
  }

  public func forward(
    _ tokens: [Int], rows: Range<Int>, position: Int, phase: Phase,
    observer: (any StepObserver)?, checkpoint: () throws -> Void
  ) throws {
    precondition(tokens.count <= chunkTokenCount)
    last = nil
    workspace.release(to: start)
    let step = Step(
      compute: compute, workspace: workspace, cache: cache, angles: angles, experts: experts,
      position: position, phase: phase, observer: observer)
    let hidden = try model.forward(tokens, rows: rows, step: step, checkpoint: checkpoint)
    last = (hidden, step)
  }

  public func withLogits(
    ofRows rows: Range<Int>, _ body: (Int, UnsafeBufferPointer<Float>) throws -> Void
  ) throws {
    guard let last else { preconditionFailure("no step has run") }
    // Few rows at a time: a row of logits can have 200,000 numbers.
    for start in stride(from: rows.lowerBound, to: rows.upperBound, by: 16) {
      let mark = workspace.mark
      defer { workspace.release(to: mark) }
      let part = start..<min(start + 16, rows.upperBound)
      let logits = try model.logits(of: last.hidden.rows(part), step: last.step)
      for row in 0..<logits.rowCount {
        try body(
          start + row,
          UnsafeBufferPointer(start: logits.row(row), count: logits.columnCount))
      }
    }
  }
}
