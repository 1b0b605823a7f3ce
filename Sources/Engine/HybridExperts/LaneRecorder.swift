import Devices
import ExpertDirection
import ExpertPrefetching
import Experts

/// Collects the times of the lanes: the CPU's by the clock, the GPU's and the link's by marks in their
/// streams, which are read when the streams have passed them.
final class LaneRecorder {
  private struct Launch {
    var begin: StreamMark
    var end: StreamMark
    /// With their kinds.
    var experts: [(index: Int, kind: Timeline.Kind)]
  }

  private struct Served {
    var directive: LayerDirective
    var start: Double
    var cpuEnd: Double
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
  private var served: [Served] = []
  private var copied: [Copied] = []
  private var launches: [Launch] = []
  private var start = 0.0
  private var cpuStart = 0.0

  /// What is not read yet is dropped beyond this: a device that passes no marks is lost anyway.
  private static let openLimit = 4096

  init(_ clock: any DeviceClock, recordsTimeline: Bool) {
    self.clock = clock
    times = LaneTimes(recordsTimeline: recordsTimeline)
  }

  func layerBegins() {
    start = clock.now
    cpuStart = start
    launches.removeAll(keepingCapacity: true)
  }

  func cpuBegins() { cpuStart = clock.now }

  func launched(
    _ experts: [(index: Int, kind: Timeline.Kind)], from begin: StreamMark, to end: StreamMark
  ) {
    launches.append(Launch(begin: begin, end: end, experts: experts))
  }

  func layerEnds(_ directive: LayerDirective, cpuWorked: Bool) {
    let end = clock.now
    if cpuWorked { recordCPU(directive, until: end) }
    served.append(
      Served(
        directive: directive, start: start, cpuEnd: cpuWorked ? end : start, launches: launches))
    if served.count > Self.openLimit { served.removeFirst(Self.openLimit / 2) }
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
    while let layer = served.first {
      guard try record(layer) else { break }
      served.removeFirst()
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
    ratios[.cpu]?.add(
      measured: end - cpuStart, predicted: predicted + directive.layerCase.costs.cpuFirst)
    var begin = cpuStart
    for operation in operations {
      let share =
        predicted > 0
        ? (operation.end - operation.start) / predicted : 1 / Double(operations.count)
      let until = begin + share * (end - cpuStart)
      times.append(measured: span(operation, directive, from: begin, to: until))
      begin = until
    }
  }

  private func record(_ layer: Served) throws(DeviceError) -> Bool {
    var end = layer.cpuEnd
    var ends: [(Launch, Double, Double)] = []
    for launch in layer.launches {
      guard let last = try launch.end.event.time(), let first = try launch.begin.event.time()
      else { return false }
      end = max(end, last)
      ends.append((launch, first, max(first, last)))
    }
    let directive = layer.directive
    for (launch, first, last) in ends {
      let each = (last - first) / Double(launch.experts.count)
      for (place, expert) in launch.experts.enumerated() {
        let begin = first + Double(place) * each
        times.append(
          measured: .init(
            expert.kind, on: .gpu, start: begin, end: begin + each, step: directive.step,
            phase: directive.phase, layer: directive.layer, expert: expert.index))
      }
    }
    ratios[.gpu]?.add(
      measured: ends.reduce(0) { $0 + $1.2 - $1.1 },
      predicted: directive.plan.operations.reduce(0) {
        $1.lane == .gpu && $1.subject != .shared ? $0 + $1.end - $1.start : $0
      })
    for operation in directive.plan.operations {
      times.append(
        predicted: span(
          operation, directive, from: layer.start + operation.start,
          to: layer.start + operation.end))
    }
    times.append(
      LaneTimes.Layer(
        step: directive.step, phase: directive.phase, layer: directive.layer, start: layer.start,
        predicted: directive.plan.makespan, measured: end - layer.start))
    return true
  }

  private func span(
    _ operation: Operation, _ directive: LayerDirective, from start: Double, to end: Double
  ) -> Timeline.Span {
    var kind = Timeline.Kind.shared
    var expert: Int?
    if case .expert(let index) = operation.subject {
      expert = index
      let isResident =
        directive.layerCase.experts.first { $0.index == index }?.residency == .resident
      kind =
        switch operation.lane {
        case .cpu: isResident ? .stolen : .missOnCPU
        case .gpu: isResident ? .hit : .missOnGPU
        case .link: .onDemandCopy
        }
    }
    return .init(
      kind, on: operation.lane, start: start, end: max(start, end), step: directive.step,
      phase: directive.phase, layer: directive.layer, expert: expert)
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
