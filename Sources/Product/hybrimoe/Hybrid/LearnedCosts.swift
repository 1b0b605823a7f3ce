import CPUCompute
import DeviceCompute
import Devices
import Experts
import HybridExperts
import Models
import Placement

/// What is known of a machine and a model from run to run; an emulated machine's figures are those
/// of its profile, so nothing is learned there.
final class LearnedCosts {
  private let cache: CalibrationCache?
  private let console: Console
  private(set) var calibration: Calibration

  /// - Parameter threadCount: nil: as many as are used without being told.
  init(_ device: any Device, _ shape: ModelShape, threadCount: Int?, console: Console) {
    self.console = console
    let folder = CacheFolder.calibrations(environment: Environment.all)
    cache = device.properties.isEmulated ? nil : folder.map(CalibrationCache.init)
    let key = Calibration.key(
      device.properties, shape, processor: Processor.name, threadCount: threadCount ?? 0)
    calibration = cache?.calibration(key) ?? Calibration(key: key)
  }

  /// Measures what has not been measured yet, which takes seconds and happens once.
  func warmUp(_ placed: PlacedModel, _ setup: SequenceSetup) {
    guard cache != nil, calibration.costs == nil else { return }
    let progress = console.progress("Measuring this machine for this model, once")
    defer { progress.finish() }
    progress.update(0, of: 1)
    do {
      calibration.costs = try WarmUp(
        placed.device, compute: setup.compute, layers: setup.model.expertLayers,
        footprints: placed.assumed.footprints
      ).measure()
    } catch {
      console.warn(
        "The costs of this machine could not be measured, so assumed ones are used: \(error).")
      return
    }
    keep()
  }

  /// Adds the uses of a run; older ones count less and less, so that a change of subject is
  /// followed.
  func keep(popularity: [Double]) {
    guard cache != nil, popularity.contains(where: { $0 > 0 }) else { return }
    let old = calibration.popularity
    calibration.popularity =
      old.count == popularity.count
      ? zip(old, popularity).map { 0.9 * $0 + $1 } : popularity
    keep()
  }

  private func keep() {
    do {
      try cache?.keep(calibration)
    } catch {
      console.debug("\(error)")
    }
  }
}
