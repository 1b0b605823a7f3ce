import Devices
import ExpertDirection
import ExpertSimulation
import Experts
import HybridDecoding
import HybridExperts
import Models
import Placement

/// A sequence whose dense part a device computes, and whose experts CPU, device and link share.
final class HybridEngine: LiveEngine {
  let device: any Device
  let decoder: HybridDecoder
  private let executor: HybridExecutor
  private let placed: PlacedModel

  /// - Throws: `DeviceError`, `HostMemoryError`, `HybridError`, `HybridDecodingError`, `DirectionError`.
  init(_ placed: PlacedModel, _ setup: SequenceSetup, recordsTimeline: Bool) throws {
    device = placed.device
    self.placed = placed
    var hybrid = HybridSetup(
      device: device, compute: setup.compute, layers: setup.model.expertLayers,
      store: setup.model.store, lanes: placed.lanes, system: placed.system,
      tokenCapacity: setup.chunkTokenCount)
    hybrid.recordsTimeline = recordsTimeline
    executor = try HybridExecutor(hybrid)
    decoder = try HybridDecoder(
      setup, device: device, serving: executor, placement: placed.dense)
  }

  /// Why there are fewer slots than planned.
  var shortage: String? { executor.shortage }

  var title: String { device.properties.name }
  var isModelled: Bool { device.properties.isEmulated }
  var microseconds: Double { device.clock.now }
  var timelines: (measured: Timeline, predicted: Timeline)? { nil }
  var figures: HybridFigures {
    HybridFigures(executor.report, isModelled: isModelled)
  }

  func use(_ system: SystemDescription, popularity: [Double]) throws {
    var system = system
    system.layerSlots = placed.system.layerSlots
    try executor.restart(system, popularity: popularity)
  }

  func force(_ routing: ForcedRouting?) { executor.routingSource = routing }
}

extension HybridFigures {
  /// What a director has counted; times are those that it expected.
  init(_ report: DirectionReport, isModelled: Bool) {
    self.init()
    self.isModelled = isModelled
    for phase in Phase.allCases {
      let counted = report[phase]
      self[phase].stepCount = counted.stepMicroseconds.count
      self[phase].tokenCount = counted.tokens
      self[phase].microseconds = counted.totalMicroseconds
      self[phase].activated = counted.activated
      self[phase].hits = counted.hits
      self[phase].prefetched = counted.prefetched
      self[phase].late = counted.late
      self[phase].onCPU = counted.onCPU
      self[phase].copiedOnDemand = counted.copiedOnDemand
      self[phase].copiedAhead = counted.copiedAhead
      self[phase].filled = counted.filled
      self[phase].linkByteCount = counted.linkBytes
      self[phase].busyMicroseconds = [
        .cpu: counted.cpuBusyMicroseconds, .gpu: counted.gpuBusyMicroseconds,
        .link: counted.linkBusyMicroseconds,
      ]
      self[phase].layerCount = counted.plans
      self[phase].predictedMicroseconds = counted.makespanMicroseconds
      self[phase].boundMicroseconds = counted.boundMicroseconds
    }
    prefetches = report.prefetch.map { statistics in
      let total = statistics.total
      return Prefetches(
        issued: total.issued, useful: total.useful, late: total.late, redundant: total.redundant,
        cancelled: total.cancelled, byteCount: total.byteCount)
    }
  }
}

/// A model as a plan puts it on a device.
struct PlacedModel {
  let device: any Device
  let lanes: SimulatedMachine
  var system: SystemDescription
  let dense: DensePlacement

  /// - Throws: `SimulationError` for models whose layers differ in their experts.
  init(_ plan: PlacementPlan, device: any Device, system: SystemDescription) throws {
    self.device = device
    lanes = try SimulatedMachine(profile: plan.request.machine, shape: plan.request.shape)
    let onHost = plan.layers.indices.filter {
      plan.layers[$0].attention == .cpu || plan.layers[$0].feedForward == .cpu
    }
    dense = DensePlacement(
      hostLayers: Set(onHost), outputHeadOnHost: plan.output == .cpu)
    self.system = system
    self.system.layerSlots = plan.request.shape.moeLayers.map {
      onHost.contains($0) ? 0 : plan.layers[$0].slots
    }
  }

  /// The same with fewer slots; nil where there are none left.
  var withFewerSlots: PlacedModel? {
    guard let slots = system.layerSlots, slots.contains(where: { $0 > 0 }) else { return nil }
    var smaller = self
    smaller.system.layerSlots = slots.map { $0 * 3 / 4 }
    return smaller
  }
}
