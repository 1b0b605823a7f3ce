import Devices
import Experts

/// Reads the marks in the stream of the dense part, in their order: what it took, and when each layer
/// was routed and served.
struct DenseTimes {
  /// A mark at a point of a step.
  struct Point {
    var point: StepPoint
    var mark: StreamMark
    var step: Int
    var phase: Phase
    /// The MoE layer, counted from 0, that a routing is of.
    var layer: Int?
    /// What the dense work that ends here was to take, in microseconds.
    var predicted = 0.0
  }

  /// A layer that was served, in microseconds of the device's clock.
  struct Layer: Equatable {
    var sequence: UInt32
    var routed: Double
    var sharedEnd: Double?
    var served: Double
  }

  private var points: [Point] = []
  /// When the running dense work began.
  private var denseStart: Double?
  /// When the host began to compute layers.
  private var hostStart: Double?
  private var routed: Double?
  private var sharedEnd: Double?

  /// Points that the stream has not passed yet, as far as is known.
  var openCount: Int { points.count }

  mutating func append(_ point: Point) { points.append(point) }

  mutating func forget() { self = DenseTimes() }

  /// Goes on to the next layer that was served, and adds the dense work up to there to the times.
  /// - Returns: nil where the stream has not come to the end of another layer yet.
  /// - Throws: `DeviceError`.
  mutating func next(into times: inout LaneTimes) throws(DeviceError) -> Layer? {
    while let point = points.first, let time = try point.mark.event.time() {
      points.removeFirst()
      if let layer = pass(point, at: time, &times) { return layer }
    }
    return nil
  }

  private mutating func pass(
    _ point: Point, at time: Double, _ times: inout LaneTimes
  ) -> Layer? {
    switch point.point {
    case .denseBegins:
      if let hostStart {
        times.append(
          measured: .init(
            .dense, on: .cpu, start: hostStart, end: max(hostStart, time), step: point.step,
            phase: point.phase))
      }
      hostStart = nil
      denseStart = time
    case .routed:
      endDense(point, at: time, &times)
      routed = time
      sharedEnd = nil
    case .sharedComputed: sharedEnd = time
    case .served(let sequence):
      denseStart = time
      guard let begin = routed else { return nil }
      routed = nil
      return Layer(sequence: sequence, routed: begin, sharedEnd: sharedEnd, served: time)
    case .hostBegins:
      endDense(point, at: time, &times)
      hostStart = time
    case .stepEnds: endDense(point, at: time, &times)
    }
    return nil
  }

  // The prediction ends at the same moment, so that the experts of both pictures begin together.
  private mutating func endDense(_ point: Point, at time: Double, _ times: inout LaneTimes) {
    func span(from start: Double) -> Timeline.Span {
      .init(
        .dense, on: .gpu, start: min(start, time), end: time, step: point.step,
        phase: point.phase, layer: point.layer)
    }
    if let denseStart { times.append(measured: span(from: denseStart)) }
    denseStart = nil
    if point.predicted > 0 { times.append(predicted: span(from: time - point.predicted)) }
  }
}
