import Devices
import ExpertDirection
import ExpertSimulation
import Experts
import HybridDecoding
import HybridExperts
import Models
import Placement

/// A model as a plan puts it on a device.
struct PlacedModel {
  let device: any Device
  /// Sizes, and the costs that the plan was made with.
  let assumed: SimulatedMachine
  /// The costs that layers are planned by.
  var lanes: any LaneCosts
  var system: SystemDescription
  /// How often each expert was used in earlier runs; empty where nothing is known.
  var popularity: [Double] = []
  let dense: DensePlacement

  /// - Throws: `SimulationError` for models whose layers differ in their experts.
  init(_ plan: PlacementPlan, device: any Device, system: SystemDescription) throws {
    self.device = device
    assumed = try SimulatedMachine(profile: plan.request.machine, shape: plan.request.shape)
    lanes = assumed
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

  /// Takes what is known of this machine and model.
  mutating func take(_ calibration: Calibration) {
    if calibration.popularity.count == lanes.layerCount * lanes.expertCount {
      popularity = calibration.popularity
    }
    guard let model = calibration.costs?.model,
      let measured = MeasuredLanes(dense: assumed, model: model, footprints: assumed.footprints)
    else { return }
    lanes = measured
  }

  /// The same with fewer slots; nil where there are none left.
  var withFewerSlots: PlacedModel? {
    guard let slots = system.layerSlots, slots.contains(where: { $0 > 0 }) else { return nil }
    var smaller = self
    smaller.system.layerSlots = slots.map { $0 * 3 / 4 }
    return smaller
  }
}

/// Counts how often each expert is used, for the next run's first residents; passes everything on.
final class PopularityCounter: StepObserver {
  /// Sees the same.
  var inner: (any StepObserver)?
  /// [MoE layers × experts]
  private(set) var counts: [Double]
  private let expertCount: Int
  private let places: [Int: Int]

  /// - Parameter layers: the MoE layers' numbers in the file, in order.
  init(_ lanes: any LaneCosts, layers: [Int]) {
    expertCount = lanes.expertCount
    counts = Array(repeating: 0, count: lanes.layerCount * lanes.expertCount)
    places = Dictionary(uniqueKeysWithValues: layers.enumerated().map { ($1, $0) })
  }

  var readsScores: Bool { inner?.readsScores ?? false }

  func willRun(_ phase: Phase) { inner?.willRun(phase) }

  func didRoute(_ routing: LayerRouting) {
    if let place = places[routing.layer] {
      for id in routing.ids { counts[place * expertCount + Int(id)] += 1 }
    }
    inner?.didRoute(routing)
  }
}
