/// What happened on the three lanes over a run: one span for each piece of work.
///
/// The simulator and the engine record the same value, so that a picture, a profile and a test read
/// either without knowing which of them ran. Recording appends to one array; whoever records in a
/// loop that must not allocate reserves the room first.
public struct Timeline: Equatable, Sendable {
  /// What a lane did in a span.
  public enum Kind: String, Sendable, CaseIterable {
    /// Attention, norms, dense layers, embedding and output head.
    case dense
    /// The shared expert of a layer.
    case shared
    /// A resident expert, computed on the GPU.
    case hit
    /// A missing expert, computed on the CPU.
    case missOnCPU
    /// A missing expert, computed on the GPU after its copy.
    case missOnGPU
    /// A resident expert that an idle CPU took from the GPU's queue.
    case stolen
    /// A copy that this layer's plan waits for.
    case onDemandCopy
    /// A copy for a later layer of this step, ahead of its routing.
    case prefetchCopy
    /// A copy of a miss that the CPU has computed, for the steps to come.
    case fillCopy
    /// A piece of a copy that was given up afterwards: its bytes were moved for nothing.
    case cancelledPiece
  }

  /// One piece of work on one lane.
  public struct Span: Equatable, Sendable {
    public var lane: Lane
    public var kind: Kind
    /// Microseconds since the run's start; `end` is not before `start`.
    public var start: Double
    public var end: Double
    /// The forward pass it belongs to, counted from 0.
    public var step: Int
    public var phase: Phase
    /// The MoE layer that the work is for, counted from 0 (for a prefetch the later layer); `nil` for
    /// work outside the MoE layers, such as the output head.
    public var layer: Int?
    /// The routed expert's index in that layer; `nil` for dense work and shared experts.
    public var expert: Int?

    public init(
      _ kind: Kind, on lane: Lane, start: Double, end: Double, step: Int, phase: Phase,
      layer: Int? = nil, expert: Int? = nil
    ) {
      self.lane = lane
      self.kind = kind
      self.start = start
      self.end = end
      self.step = step
      self.phase = phase
      self.layer = layer
      self.expert = expert
    }
  }

  /// In the order of recording, which need not be that of time.
  public var spans: [Span]

  public init(spans: [Span] = []) { self.spans = spans }

  /// Records a span.
  public mutating func append(_ span: Span) { spans.append(span) }

  /// The end of the last span, in microseconds; 0 where nothing was recorded.
  public var end: Double { spans.reduce(0) { max($0, $1.end) } }

  /// The time that a lane was at work, in microseconds, if its spans do not overlap.
  public func busyMicroseconds(on lane: Lane) -> Double {
    spans.reduce(0) { $0 + ($1.lane == lane ? $1.end - $1.start : 0) }
  }

  /// The spans that touch a time window (from its start up to but not including its end).
  public func window(_ range: Range<Double>) -> Timeline {
    Timeline(spans: spans.filter { $0.start < range.upperBound && $0.end > range.lowerBound })
  }

  /// The spans of these steps.
  public func steps(_ range: Range<Int>) -> Timeline {
    Timeline(spans: spans.filter { range.contains($0.step) })
  }
}
