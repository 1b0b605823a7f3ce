import Devices
import ExpertDirection
import ExpertSimulation
import Experts
import HybridDecoding
import HybridExperts
import Models
import Placement

/// A sequence whose dense part a device computes, and whose experts CPU, device and link share.
final class HybridEngine: LiveEngine, SequenceBackend {
  private let device: any Device
  private let decoder: HybridDecoder
  private let executor: HybridExecutor
  private let placed: PlacedModel
  private var spent: [Phase: Double] = [:]
  private var phase = Phase.prefill
  private let counter: PopularityCounter

  /// - Throws: `DeviceError`, `HostMemoryError`, `HybridError`, `HybridDecodingError`,
  ///   `DirectionError`.
  init(_ placed: PlacedModel, _ setup: SequenceSetup, recordsTimeline: Bool) throws {
    device = placed.device
    self.placed = placed
    var hybrid = HybridSetup(
      device: device, compute: setup.compute, layers: setup.model.expertLayers,
      store: setup.model.store, lanes: placed.lanes, system: placed.system,
      tokenCapacity: setup.chunkTokenCount)
    hybrid.recordsTimeline = recordsTimeline
    hybrid.popularity = placed.popularity
    counter = PopularityCounter(placed.lanes, layers: setup.model.expertLayers.keys.sorted())
    executor = try HybridExecutor(hybrid)
    decoder = try HybridDecoder(
      setup, device: device, serving: executor, placement: placed.dense)
  }

  deinit { executor.end() }

  func forward(
    _ tokens: [Int], rows: Range<Int>, position: Int, phase: Phase,
    observer: (any StepObserver)?, checkpoint: () throws -> Void
  ) throws {
    self.phase = phase
    counter.inner = observer
    try timed {
      try decoder.forward(
        tokens, rows: rows, position: position, phase: phase, observer: counter,
        checkpoint: checkpoint)
    }
  }

  func withLogits(
    ofRows rows: Range<Int>, _ body: (Int, UnsafeBufferPointer<Float>) throws -> Void
  ) throws {
    try timed { try decoder.withLogits(ofRows: rows, body) }
  }

  /// Adds the device's time to the running phase.
  private func timed(_ body: () throws -> Void) throws {
    let start = device.clock.now
    defer { spent[phase, default: 0] += device.clock.now - start }
    try body()
  }
}

extension HybridEngine {
  /// Why there are fewer slots than planned.
  var shortage: String? { executor.shortage }

  var title: String { device.properties.name }
  var isModelled: Bool { device.properties.isEmulated }
  var microseconds: Double { device.clock.now }

  var timelines: (measured: Timeline, predicted: Timeline)? {
    guard let times = try? executor.laneTimes(), times.recordsTimeline else { return nil }
    return (times.measured, times.predicted)
  }

  var figures: HybridFigures {
    guard let statistics = try? executor.statistics() else { return HybridFigures() }
    var figures = HybridFigures(statistics)
    figures.isModelled = isModelled
    for phase in Phase.allCases { figures[phase].microseconds = spent[phase] ?? 0 }
    return figures
  }

  /// How often each expert was used, [layers × experts].
  var popularity: [Double] { counter.counts }

  func use(_ system: SystemDescription, popularity: [Double]) throws {
    var system = system
    system.layerSlots = placed.system.layerSlots
    try executor.restart(system, popularity: popularity)
    spent = [:]
  }

  func force(_ routing: ForcedRouting?) { executor.routingSource = routing }
}

extension HybridFigures {
  /// What an executor has counted and measured.
  init(_ statistics: HybridStatistics) {
    self.init()
    for phase in Phase.allCases {
      let counted = statistics[phase]
      self[phase].stepCount = counted.steps
      self[phase].tokenCount = counted.tokens
      self[phase].activated = counted.activated
      self[phase].hits = counted.hits
      self[phase].prefetched = counted.prefetched
      self[phase].late = counted.late
      self[phase].onCPU = counted.onCPU
      self[phase].computed = counted.computed
      self[phase].copiedOnDemand = counted.copiedOnDemand
      self[phase].copiedAhead = counted.copiedAhead
      self[phase].filled = counted.filled
      self[phase].busyMicroseconds = [
        .cpu: counted.measured.cpu, .gpu: counted.measured.gpu, .link: counted.measured.link,
      ]
      self[phase].layerCount = counted.layers
      self[phase].predictedMicroseconds = counted.predictedMakespan
      self[phase].boundMicroseconds = counted.boundMakespan
      self[phase].measuredMicroseconds = counted.measuredMakespan
    }
    linkByteCount = statistics.linkBytes.reduce(0, +)
    issuedByteCount = statistics.issuedBytes
    wastedByteCount = statistics.wastedBytes.reduce(0, +)
    prefetches = statistics.prefetch.map { counts in
      Prefetches(
        issued: counts.issued, useful: counts.useful, late: counts.late,
        redundant: counts.redundant, cancelled: counts.cancelled, byteCount: counts.byteCount)
    }
    notes = statistics.notes
  }
}
