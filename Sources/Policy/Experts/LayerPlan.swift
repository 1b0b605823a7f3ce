/// One of the three resources that work in parallel.
public enum Lane: String, Sendable, CaseIterable {
  /// The host's cores, as one team.
  case cpu
  case gpu
  /// Copies from host memory to the GPU.
  case link
}

/// One piece of a plan: an expert on a lane, from `start` to `end`.
public struct Operation: Equatable, Sendable {
  public enum Subject: Equatable, Sendable {
    case expert(Int)
    /// The shared expert, always on the GPU and always first.
    case shared
  }

  public var subject: Subject
  public var lane: Lane
  /// Times after the layer's routing is known, in the unit of the costs.
  public var start: Double
  public var end: Double

  public init(_ subject: Subject, on lane: Lane, start: Double, end: Double) {
    self.subject = subject
    self.lane = lane
    self.start = start
    self.end = end
  }
}

/// Which lane computes each activated expert of a layer, in which order, and which misses are copied.
///
/// A plan is a value: a scheduler returns it, the engine performs it on devices, the simulator
/// performs the same value against costs.
public struct LayerPlan: Equatable, Sendable {
  /// Copies and computations, in the order in which they were decided; on each lane by start.
  public var operations: [Operation] = []
  /// The handshake plus the end of the last computation, the shared expert's included.
  public var makespan = 0.0
  /// No plan for the same case has a smaller makespan than this; 0 where nobody asked.
  public var lowerBound = 0.0

  public init() {}

  /// Empties the plan and keeps its memory.
  public mutating func reset() {
    operations.removeAll(keepingCapacity: true)
    makespan = 0
    lowerBound = 0
  }
}
