/// Where an activated expert's weights are when its layer starts.
public enum Residency: Equatable, Sendable {
  /// Only in host memory.
  case missing
  /// In a slot of the GPU's expert cache.
  case resident
  /// Being copied; the last byte arrives at this time after the layer's start. A late prefetch: it
  /// counts as a miss. The link is busy with it until then, and `LayerCase.linkFree` says so.
  case arriving(at: Double)
}

/// An expert that tokens of this step were routed to.
public struct ActivatedExpert: Equatable, Sendable {
  /// Its index in the layer.
  public var index: Int
  /// The number of tokens of this step routed to it, at least 1.
  public var load: Int
  public var residency: Residency

  public init(index: Int, load: Int, residency: Residency) {
    self.index = index
    self.load = load
    self.residency = residency
  }
}

/// One scheduling problem: what a layer's routing asks for, and the state of the lanes.
///
/// Times count from the moment when the layer's routing is known.
public struct LayerCase: Equatable, Sendable {
  public var phase: Phase
  public var experts: [ActivatedExpert]
  public var costs: LayerCosts
  /// When each lane is free, at least 0. The link's time includes every copy that is on its way;
  /// where one arrives later than `linkFree` says, schedulers take its arrival.
  public var cpuFree = 0.0
  public var gpuFree = 0.0
  public var linkFree = 0.0

  public init(phase: Phase, experts: [ActivatedExpert], costs: LayerCosts) {
    self.phase = phase
    self.experts = experts
    self.costs = costs
  }
}
