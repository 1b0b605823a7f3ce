import CPUCompute
import Experts

/// All that a block needs to take some tokens of one sequence through its part of a step.
public struct Step {
  public let compute: CPUBackend
  public let workspace: Workspace
  public let cache: KeyValueCache
  public let angles: RotaryAngles
  public let experts: any ExpertExecutor
  /// Position of the step's first token.
  public let position: Int
  /// Whether a prompt is read or an answer written. A kernel may be chosen by it, never by the number of
  /// tokens: so a prompt's bits do not depend on how it is cut.
  public let phase: Phase
  public let observer: (any StepObserver)?

  public init(
    compute: CPUBackend, workspace: Workspace, cache: KeyValueCache, angles: RotaryAngles,
    experts: any ExpertExecutor, position: Int, phase: Phase,
    observer: (any StepObserver)? = nil
  ) {
    self.compute = compute
    self.workspace = workspace
    self.cache = cache
    self.angles = angles
    self.experts = experts
    self.position = position
    self.phase = phase
    self.observer = observer
  }
}

/// What a router decided for the tokens of a step.
public struct LayerRouting {
  /// The layer's number in the file.
  public let layer: Int
  /// Experts that each token goes to.
  public let ranks: Int
  /// The chosen experts, best first. [tokens × ranks]
  public let ids: [Int32]
  /// [tokens × ranks]
  public let weights: [Float]
  /// The probability of every expert before any bias for choosing, [tokens × experts]; empty unless
  /// the observer reads scores.
  public let scores: [Float]
  /// The scores that this layer's hidden state gives in the routers of later layers, nearest first;
  /// empty unless the observer reads scores.
  public let predicted: [(layer: Int, scores: [Float])]

  public init(
    layer: Int, ranks: Int, ids: [Int32], weights: [Float], scores: [Float] = [],
    predicted: [(layer: Int, scores: [Float])] = []
  ) {
    self.layer = layer
    self.ranks = ranks
    self.ids = ids
    self.weights = weights
    self.scores = scores
    self.predicted = predicted
  }
}

/// Sees a step as it happens: for traces, statistics and tests.
public protocol StepObserver: AnyObject {
  /// Whether it wants the scores of all experts and those of later layers, which cost time.
  var readsScores: Bool { get }
  /// A prompt is read from now on, or tokens are written one by one.
  func willRun(_ phase: Phase)
  func didRoute(_ routing: LayerRouting)
}

extension StepObserver {
  public var readsScores: Bool { false }
  public func willRun(_ phase: Phase) {}
}
