/// How often a prediction comes true: the measured hit probability by layer, distance and margin.
///
/// Intuition: a router's score says which expert it prefers, not how sure the *prediction* is. What
/// matters is how far an expert's score lies above or below the line that separates the chosen from
/// the others, and how often an expert at that margin was really activated. So margins are sorted
/// into bins and outcomes are counted.
///
/// Rule: the margin is the binary logarithm of the score over the geometric mean of the k-th and
/// the (k+1)-th score. A bin's probability is its hits over its cases, with the pooled figure of all
/// layers at that distance as a prior worth 16 cases, which itself starts from a logistic curve worth
/// 8 cases. Counts are discounted, so that a figure follows a change of topic. Rejected: the rank
/// alone (ranks 6 and 7 may be 10 % or 0.1 % apart) and a fitted logistic curve (its tails were
/// wrong in every model of errors that we tried; a table needs no form).
public struct HitCalibration: Sendable {
  /// Bins of a quarter of an octave from −2.25 to 2.25, and one beyond each end.
  public static let binCount = 20

  /// Runs of a layer after which an observation weighs 1/e.
  static let horizon = 2048.0
  static let priorWeight = 8.0
  static let pooledWeight = 16.0

  private struct Bin {
    var cases = 0.0
    var hits = 0.0
  }

  private let layers: Int
  private let distances: Int
  private var bins: [Bin]
  private var pooled: [Bin]

  /// Knows nothing but the prior.
  public init(layers: Int, distances: Int) {
    precondition(layers > 0 && distances > 0)
    self.layers = layers
    self.distances = distances
    bins = Array(repeating: Bin(), count: layers * distances * Self.binCount)
    pooled = Array(repeating: Bin(), count: distances * Self.binCount)
  }

  /// The bin of a margin in octaves.
  public static func bin(margin: Double) -> Int {
    guard margin > -2.25 else { return 0 }
    guard margin < 2.25 else { return binCount - 1 }
    return 1 + Int((margin + 2.25) * 4)
  }

  /// What is assumed before anything was measured: a logistic curve through one half at margin 0
  /// that is flatter for farther layers, about 77, 70 and 65 % over the chosen experts.
  static func prior(bin: Int, distance: Int) -> Double {
    let margin = Double(bin) / 4 - 2.375
    return 1 / (1 + powerOfTwo(-margin * 3 / Double(distance)))
  }

  /// The probability that an expert in this bin is activated.
  public func probability(layer: Int, distance: Int, bin: Int) -> Double {
    let common = pooled[(distance - 1) * Self.binCount + bin]
    let own = bins[index(layer: layer, distance: distance) + bin]
    let prior = Self.prior(bin: bin, distance: distance)
    let base = (Self.priorWeight * prior + common.hits) / (Self.priorWeight + common.cases)
    return (Self.pooledWeight * base + own.hits) / (Self.pooledWeight + own.cases)
  }

  /// Counts one prediction's outcome.
  public mutating func record(layer: Int, distance: Int, bin: Int, activated: Bool) {
    let own = index(layer: layer, distance: distance) + bin
    bins[own].cases += 1
    pooled[(distance - 1) * Self.binCount + bin].cases += 1
    guard activated else { return }
    bins[own].hits += 1
    pooled[(distance - 1) * Self.binCount + bin].hits += 1
  }

  /// Lets what was counted for a layer and distance fade a little; once for each run of the layer.
  public mutating func fade(layer: Int, distance: Int) {
    let keep = 1 - 1 / Self.horizon
    let keepPooled = 1 - 1 / (Self.horizon * Double(layers))
    for bin in 0..<Self.binCount {
      bins[index(layer: layer, distance: distance) + bin].cases *= keep
      bins[index(layer: layer, distance: distance) + bin].hits *= keep
      pooled[(distance - 1) * Self.binCount + bin].cases *= keepPooled
      pooled[(distance - 1) * Self.binCount + bin].hits *= keepPooled
    }
  }

  private func index(layer: Int, distance: Int) -> Int {
    (layer * distances + distance - 1) * Self.binCount
  }
}
