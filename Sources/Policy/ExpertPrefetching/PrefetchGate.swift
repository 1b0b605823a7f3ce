/// Switches prefetching off where it is measured not to pay, layer by layer.
///
/// Rule: a layer's measured gains (see `PrefetchLedger`) enter a discounted running mean. The layer
/// is closed when, after at least `patience` gains, the mean is below zero. A closed layer opens for
/// a probe of `probeRuns` runs after `restRuns` runs without, and stays open if the probe's own mean
/// is above zero; otherwise the rest doubles, up to 16 times, so that the cost of a hopeless layer's
/// probes fades. Counted in runs, never in time: the same run decides the same.
public struct PrefetchGate: Sendable {
  private struct Layer {
    var mean = 0.0
    var gains = 0
    var isOpen = true
    /// Runs left in the rest of a closed layer, or in a probe.
    var runsLeft = 0
    var isProbe = false
    var rest = 0
  }

  /// Gains before a layer is judged at all.
  public let patience: Int
  /// Gains after which one weighs 1/e.
  public let horizon: Int
  public let restRuns: Int
  public let probeRuns: Int
  private var layers: [Layer]

  public init(
    layers: Int, patience: Int = 16, horizon: Int = 64, restRuns: Int = 128, probeRuns: Int = 8
  ) {
    precondition(layers > 0 && patience > 0 && horizon > 0 && restRuns > 0 && probeRuns > 0)
    self.patience = patience
    self.horizon = horizon
    self.restRuns = restRuns
    self.probeRuns = probeRuns
    self.layers = Array(repeating: Layer(), count: layers)
  }

  /// Whether experts of this layer may be prefetched.
  public func isOpen(_ layer: Int) -> Bool { layers[layer].isOpen }

  /// The discounted mean of a layer's measured gains, in microseconds for each run.
  public func meanGain(_ layer: Int) -> Double { layers[layer].mean }

  /// A layer has run; `gain` is what prefetching saved, or `nil` where it had no part in it.
  public mutating func layerRan(_ layer: Int, gain: Double?) {
    if let gain, layers[layer].isOpen {
      layers[layer].gains += 1
      let rate = 1 / Double(min(layers[layer].gains, horizon))
      layers[layer].mean += (gain - layers[layer].mean) * rate
    }
    if layers[layer].isProbe || !layers[layer].isOpen {
      advance(&layers[layer])
    } else if layers[layer].gains >= patience, layers[layer].mean < 0 {
      close(&layers[layer])
    }
  }

  private func close(_ layer: inout Layer) {
    layer.rest = layer.rest == 0 ? restRuns : min(2 * layer.rest, 16 * restRuns)
    layer.isOpen = false
    layer.isProbe = false
    layer.runsLeft = layer.rest
  }

  private func advance(_ layer: inout Layer) {
    layer.runsLeft -= 1
    guard layer.runsLeft <= 0 else { return }
    if layer.isProbe {
      guard layer.mean > 0 else { return close(&layer) }
      layer.isProbe = false
      layer.rest = 0
    } else {
      layer.isOpen = true
      layer.isProbe = true
      layer.runsLeft = probeRuns
      layer.gains = 0
      layer.mean = 0
    }
  }
}
