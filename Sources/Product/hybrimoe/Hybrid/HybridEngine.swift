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
  var figures: HybridFigures { HybridFigures() }

  func use(_ system: SystemDescription, popularity: [Double]) throws {}
  func force(_ routing: ForcedRouting?) {}
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
