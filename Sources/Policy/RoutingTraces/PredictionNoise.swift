import RandomNumbers

/// What an earlier layer foresees of a later layer's scores: the true latent scores with errors, of
/// which a part is the same for every token, as the residual that the layers between add on average.
struct PredictionNoise: Sendable {
  private let experts: Int
  private let biasShare: Double
  /// The errors' standard deviation by distance, from 1.
  let deviations: [Double]
  // [layers, distances, experts], of variance 1.
  private let bias: [Double]
  private var random: RandomSource

  init(
    layers: Int, experts: Int, activated: Int, behavior: RoutingBehavior, random: RandomSource
  ) {
    self.experts = experts
    biasShare = behavior.biasShare
    var random = random
    bias = (0..<layers * behavior.accuracies.count * experts).map { _ in random.nextNormal() }
    self.random = random
    deviations = Self.deviations(behavior.accuracies, experts: experts, activated: activated)
  }

  /// The latent scores of the layer `distance` later, as `layer` foresees them.
  mutating func foreseen(_ latents: [Double], layer: Int, distance: Int) -> [Double] {
    let deviation = deviations[distance - 1]
    let biasScale = deviation * biasShare.squareRoot()
    let freshScale = deviation * (1 - biasShare).squareRoot()
    // The router's scores of a stale hidden state spread as wide as those of the true one.
    let scale = 1 / (1 + deviation * deviation).squareRoot()
    let biasStart = (layer * deviations.count + distance - 1) * experts
    var result = latents
    for start in stride(from: 0, to: latents.count, by: experts) {
      for expert in 0..<experts {
        let error = biasScale * bias[biasStart + expert] + freshScale * random.nextNormal()
        result[start + expert] = (latents[start + expert] + error) * scale
      }
    }
    return result
  }

  /// The errors' deviations that give some accuracies, found by trying: the top-k of normal numbers
  /// against the top-k of the same with errors. Good to about 0.01 of accuracy.
  private static func deviations(
    _ accuracies: [Double], experts: Int, activated: Int
  ) -> [Double] {
    guard activated < experts, accuracies.contains(where: { $0 < 1 }) else {
      return accuracies.map { _ in 0 }
    }
    var random = RandomSource(seed: 0)
    let rows = max(1, 6000 / activated)
    let count = rows * experts
    let truth = (0..<count).map { _ in random.nextNormal() }
    let errors = (0..<count).map { _ in random.nextNormal() }
    let ids = stride(from: 0, to: count, by: experts).map {
      TopK.indices(of: truth[$0..<$0 + experts], count: activated)
    }
    var foreseen = truth
    func accuracy(_ deviation: Double) -> Double {
      for place in 0..<count { foreseen[place] = truth[place] + deviation * errors[place] }
      var found = 0
      for row in 0..<rows {
        let start = row * experts
        let best = TopK.indices(of: foreseen[start..<start + experts], count: activated)
        found += best.count { ids[row].contains($0) }
      }
      return Double(found) / Double(rows * activated)
    }
    return accuracies.map { wanted in
      guard wanted < 1 else { return 0 }
      var (low, high) = (0.0, 64.0)
      for _ in 0..<14 {
        let middle = (low + high) / 2
        if accuracy(middle) > wanted { low = middle } else { high = middle }
      }
      return high
    }
  }
}
