import ExpertDirection
import ExpertPrefetching
import Experts

/// What the lanes were to take and what they took, layer by layer, and their sums.
///
/// Measured and predicted spans of a layer count from the same moment, when the device had routed it, and a
/// layer ends when its dense part can go on: so both hold the shared expert and the handshake, and two
/// pictures of them can lie side by side. Times are the device's clock. Memory is bounded: spans of the
/// last layers only, unless a timeline is recorded.
public struct LaneTimes: Sendable {
  /// One MoE layer of one step, in microseconds.
  public struct Layer: Sendable, Equatable {
    public var step: Int
    public var phase: Phase
    public var layer: Int
    public var start: Double
    /// From the routing until the device can go on with the experts' rows.
    public var predicted: Double
    public var measured: Double
  }

  /// Busy times of the lanes in microseconds.
  public struct Busy: Sendable, Equatable {
    public var cpu = 0.0
    public var gpu = 0.0
    public var link = 0.0

    mutating func add(_ microseconds: Double, to lane: Lane) {
      switch lane {
      case .cpu: cpu += microseconds
      case .gpu: gpu += microseconds
      case .link: link += microseconds
      }
    }
  }

  /// Layers whose spans are kept where nobody records a timeline.
  public static let keptLayers = 256
  /// Spans of a recorded timeline at most: some hundred megabytes.
  static let spanLimit = 2_000_000

  /// What happened, and what the plans said; copies in the background only in the former.
  public private(set) var measured = Timeline()
  public private(set) var predicted = Timeline()
  /// The last layers, oldest first.
  public private(set) var layers: [Layer] = []
  public private(set) var measuredBusy: [Phase: Busy] = [:]
  public private(set) var predictedBusy: [Phase: Busy] = [:]
  /// Sums of the layers' makespans.
  public private(set) var measuredMakespan: [Phase: Double] = [:]
  public private(set) var predictedMakespan: [Phase: Double] = [:]
  /// Whether all spans are kept.
  public let recordsTimeline: Bool

  init(recordsTimeline: Bool) { self.recordsTimeline = recordsTimeline }

  /// The middle one of the last layers' measured ÷ predicted makespans; nil before the first.
  public func medianRatio(_ phase: Phase? = nil) -> Double? {
    let ratios = layers.filter { phase == nil || $0.phase == phase }
      .filter { $0.predicted > 0 }.map { $0.measured / $0.predicted }.sorted()
    return ratios.isEmpty ? nil : ratios[ratios.count / 2]
  }

  mutating func append(measured span: Timeline.Span) {
    measuredBusy[span.phase, default: Busy()].add(span.end - span.start, to: span.lane)
    guard !recordsTimeline || measured.spans.count < Self.spanLimit else { return }
    measured.append(span)
  }

  mutating func append(predicted span: Timeline.Span) {
    predictedBusy[span.phase, default: Busy()].add(span.end - span.start, to: span.lane)
    guard !recordsTimeline || predicted.spans.count < Self.spanLimit else { return }
    predicted.append(span)
  }

  mutating func append(_ layer: Layer) {
    layers.append(layer)
    measuredMakespan[layer.phase, default: 0] += layer.measured
    predictedMakespan[layer.phase, default: 0] += layer.predicted
    // Not after every layer: moving all of them each time would cost more than they do.
    guard layers.count >= 2 * Self.keptLayers else { return }
    layers.removeFirst(layers.count - Self.keptLayers)
    guard !recordsTimeline, let first = layers.first else { return }
    measured.spans.removeAll { $0.end < first.start }
    predicted.spans.removeAll { $0.end < first.start }
  }
}
