import Devices
import ExpertDirection
import ExpertPrefetching
import Experts

/// Collects the times of the lanes: the CPU's by the clock, the GPU's and the link's by marks in their
/// streams, which are read when the streams have passed them.
final class LaneRecorder {
  struct Launch {
    var begin: StreamMark
    var end: StreamMark
    /// With their kinds.
    var experts: [(index: Int, kind: Timeline.Kind)]
  }

  private struct Layer {
    var sequence: UInt32
    var directive: LayerDirective
    var launches: [Launch]
  }

  private struct Copied {
    var upload: Upload
    var begin: StreamMark
    var end: StreamMark
    var step: Int
    var phase: Phase
    /// For a copy of a running plan, how long it was to take.
    var predicted: Double?
  }

  private(set) var times: LaneTimes
  /// Measured ÷ predicted times of each lane in the last layers.
  private var ratios: [Lane: RatioMedian] = [.cpu: .init(), .gpu: .init(), .link: .init()]
  private let clock: any DeviceClock
  private var dense = DenseTimes()
  private var layers: [Layer] = []
  private var copied: [Copied] = []
  private var launches: [Launch] = []
  private var cpuStart = 0.0

  /// What is not read yet is dropped beyond this: a device that passes no marks is lost anyway.
  private static let openLimit = 4096

  init(_ clock: any DeviceClock, recordsTimeline: Bool) {
    self.clock = clock
    times = LaneTimes(recordsTimeline: recordsTimeline)
  }

  /// The dense part's stream has a mark at a point of the step.
  func reached(_ point: DenseTimes.Point) {
    dense.append(point)
    if dense.openCount > Self.openLimit { forgetStep() }
  }

  func layerBegins() { launches.removeAll(keepingCapacity: true) }

  func cpuBegins() { cpuStart = clock.now }

  func launched(
    _ experts: [(index: Int, kind: Timeline.Kind)], from begin: StreamMark, to end: StreamMark
  ) {
    launches.append(Launch(begin: begin, end: end, experts: experts))
  }

  func layerEnds(_ directive: LayerDirective, sequence: UInt32, cpuWorked: Bool) {
    if cpuWorked { recordCPU(directive, until: clock.now) }
    layers.append(Layer(sequence: sequence, directive: directive, launches: launches))
    if layers.count > Self.openLimit { layers.removeFirst(Self.openLimit / 2) }
  }

  func uploaded(
    _ upload: Upload, from begin: StreamMark, to end: StreamMark, _ step: Int, _ phase: Phase,
    predicted: Double?
  ) {
    copied.append(
      Copied(
        upload: upload, begin: begin, end: end, step: step, phase: phase, predicted: predicted))
    if copied.count > Self.openLimit { copied.removeFirst(Self.openLimit / 2) }
  }

  /// The step is given up: what its layers took is nobody's measure.
  func forgetStep() {
    dense.forget()
    layers.removeAll()
  }

  /// What the lanes' costs are to be multiplied by to agree with the last layers, where enough is known;
  /// begins to count anew.
  func takeRatios() -> [Lane: Double] {
    var taken: [Lane: Double] = [:]
    for lane in Lane.allCases {
      guard let value = ratios[lane]?.value else { continue }
      taken[lane] = value
      ratios[lane]?.clear()
    }
    return taken
  }

  /// Takes the times of all that has ended.
  /// - Throws: `DeviceError`.
  func collect() throws(DeviceError) {
    while let passed = try dense.next(into: &times) {
      while let layer = layers.first, layer.sequence != passed.sequence { layers.removeFirst() }
      guard let layer = layers.first else { continue }
      layers.removeFirst()
      try record(layer, passed)
    }
    while let copy = copied.first {
      guard let end = try copy.end.event.time(), let begin = try copy.begin.event.time() else {
        break
      }
      if copy.upload.priority == .onDemand, let predicted = copy.predicted {
        ratios[.link]?.add(measured: end - begin, predicted: predicted)
      }
      times.append(
        measured: .init(
          copy.upload.priority.kind, on: .link, start: begin, end: max(begin, end),
          step: copy.step, phase: copy.phase, layer: copy.upload.expert.layer,
          expert: copy.upload.expert.index))
      copied.removeFirst()
    }
  }

  // One batch computes all experts of the CPU, so each gets its predicted share of the time.
  private func recordCPU(_ directive: LayerDirective, until end: Double) {
    let operations = directive.plan.operations.filter { $0.lane == .cpu }
    let predicted = operations.reduce(0) { $0 + $1.end - $1.start }
    ratios[.cpu]?.add(measured: end - cpuStart, predicted: predicted)
    var begin = cpuStart
    for operation in operations {
      let share =
        predicted > 0
        ? (operation.end - operation.start) / predicted : 1 / Double(operations.count)
      let until = begin + share * (end - cpuStart)
      times.append(measured: directive.span(operation, from: begin, to: until))
      begin = until
    }
  }

  // Everything that the layer waited for lies before the point where its dense part went on.
  private func record(_ layer: Layer, _ passed: DenseTimes.Layer) throws(DeviceError) {
    let directive = layer.directive
    var pieces: [GPUPiece] = []
    if let end = passed.sharedEnd {
      pieces.append(
        GPUPiece(start: passed.routed, end: end, experts: [(nil, Timeline.Kind.shared)]))
    }
    for launch in layer.launches {
      guard let first = try launch.begin.event.time(), let last = try launch.end.event.time()
      else { continue }
      pieces.append(
        GPUPiece(start: first, end: max(first, last), experts: launch.experts.map { ($0, $1) }))
    }
    var routed = 0.0
    for piece in GPUPiece.inTurn(pieces) {
      if piece.experts.first?.kind != .shared { routed += piece.end - piece.start }
      piece.forEachExpert { index, kind, begin, end in
        times.append(
          measured: .init(
            kind, on: .gpu, start: begin, end: end, step: directive.step, phase: directive.phase,
            layer: directive.layer, expert: index))
      }
    }
    ratios[.gpu]?.add(
      measured: routed,
      predicted: directive.plan.operations.reduce(0) {
        $1.lane == .gpu && $1.subject != .shared ? $0 + $1.end - $1.start : $0
      })
    for operation in directive.plan.operations {
      times.append(
        predicted: directive.span(
          operation, from: passed.routed + operation.start, to: passed.routed + operation.end))
    }
    times.append(
      LaneTimes.Layer(
        step: directive.step, phase: directive.phase, layer: directive.layer,
        start: passed.routed, predicted: directive.plan.makespan,
        measured: passed.served - passed.routed))
  }
}

/// Work of the GPU in a layer: the shared expert, or a launch.
struct GPUPiece {
  var start: Double
  var end: Double
  /// With their kinds; the shared expert has no index.
  var experts: [(index: Int?, kind: Timeline.Kind)]

  /// Pieces one behind the other, as a lane has them: of pieces that run at once, or wait for each other's
  /// blocks, each gets the time from the end of the one before, so that the sum is the time at work.
  static func inTurn(_ pieces: [GPUPiece]) -> [GPUPiece] {
    var last = -Double.infinity
    return pieces.sorted { ($0.end, $0.start) < ($1.end, $1.start) }.map { piece in
      var piece = piece
      piece.start = max(piece.start, min(last, piece.end))
      last = piece.end
      return piece
    }
  }

  /// One launch computes all its experts, so each gets its share of the time.
  func forEachExpert(_ body: (Int?, Timeline.Kind, Double, Double) -> Void) {
    let each = (end - start) / Double(experts.count)
    for (place, expert) in experts.enumerated() {
      let begin = start + Double(place) * each
      body(expert.index, expert.kind, begin, begin + each)
    }
  }
}

extension LayerDirective {
  /// An operation of the plan as a timeline shows it.
  func span(_ operation: Operation, from start: Double, to end: Double) -> Timeline.Span {
    var kind = Timeline.Kind.shared
    var expert: Int?
    if case .expert(let index) = operation.subject {
      expert = index
      let isResident = layerCase.experts.first { $0.index == index }?.residency == .resident
      kind =
        switch operation.lane {
        case .cpu: isResident ? .stolen : .missOnCPU
        case .gpu: isResident ? .hit : .missOnGPU
        case .link: .onDemandCopy
        }
    }
    return .init(
      kind, on: operation.lane, start: start, end: max(start, end), step: step, phase: phase,
      layer: layer, expert: expert)
  }
}

extension TransferQueue.Priority {
  /// How a copy of this class shows in a timeline.
  var kind: Timeline.Kind {
    switch self {
    case .onDemand: .onDemandCopy
    case .prefetch: .prefetchCopy
    case .fill: .fillCopy
    }
  }
}
