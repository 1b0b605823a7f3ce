/// What a trace says about its model: the header of a trace file.
public struct TraceHeader: Equatable, Sendable {
  public var model: String
  /// MoE layers; dense layers are not counted.
  public var layers: Int
  /// Experts of each layer.
  public var experts: Int
  /// Experts that each token is routed to.
  public var activated: Int
  /// Bytes of one expert, one number for each layer.
  public var expertBytes: [Int]
  /// What weights and scores were before they were written.
  public var numbers: NumberPrecision

  public init(
    model: String, layers: Int, experts: Int, activated: Int, expertBytes: [Int],
    numbers: NumberPrecision = .float64
  ) {
    self.model = model
    self.layers = layers
    self.experts = experts
    self.activated = activated
    self.expertBytes = expertBytes
    self.numbers = numbers
  }

  /// How exact the weights and scores of a trace are.
  ///
  /// An engine's routers compute in `Float`. What such a number reads as must be the very value that
  /// the engine decided by, or a replay decides otherwise where two scores nearly tie; and its own
  /// shortest digits, half as many as those of a `Double`, only mean that value if they are read as a
  /// `Float`.
  public enum NumberPrecision: String, Sendable, CaseIterable {
    case float32, float64
  }
}

/// What the router of one layer decided in one step.
///
/// All tables are row-major, one row for each token of the step, in order.
public struct RoutingEvent: Equatable, Sendable {
  /// Forward passes, counted from 0.
  public var step: Int
  public var phase: Phase
  /// The MoE layer, counted from 0.
  public var layer: Int
  /// Activated experts, best first: [tokens, activated].
  public var ids: [Int]
  /// Their routing weights, [tokens, activated]; empty where the trace has none.
  public var weights: [Double]
  /// The router's probability of every expert before any selection bias, [tokens, experts]; empty
  /// where the trace has none.
  public var scores: [Double]
  /// The scores that this layer's hidden state gives in the routers of later layers; each
  /// [tokens, experts], ordered by layer.
  public var predicted: [PredictedScores]
  /// When the routing was known, in microseconds since the run's start; `nil` where nobody measured
  /// it.
  public var microseconds: Double?

  public init(
    step: Int, phase: Phase, layer: Int, ids: [Int], weights: [Double] = [],
    scores: [Double] = [], predicted: [PredictedScores] = [], microseconds: Double? = nil
  ) {
    self.step = step
    self.phase = phase
    self.layer = layer
    self.ids = ids
    self.weights = weights
    self.scores = scores
    self.predicted = predicted
    self.microseconds = microseconds
  }
}

/// Router scores of a later layer, as an earlier layer's hidden state foresees them.
public struct PredictedScores: Equatable, Sendable {
  public var layer: Int
  /// [tokens, experts], row-major.
  public var scores: [Double]

  public init(layer: Int, scores: [Double]) {
    self.layer = layer
    self.scores = scores
  }
}

/// A whole trace: events in the order in which the engine ran them.
public struct RoutingTrace: Equatable, Sendable {
  public var header: TraceHeader
  public var events: [RoutingEvent]

  public init(header: TraceHeader, events: [RoutingEvent]) {
    self.header = header
    self.events = events
  }
}
