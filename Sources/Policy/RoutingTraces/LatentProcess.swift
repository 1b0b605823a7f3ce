import RandomNumbers

/// The latent scores of all experts, token by token, layer by layer; `RoutingBehavior` says what
/// they are made of.
struct LatentProcess: Sendable {
  private let layers: Int
  private let experts: Int
  private let behavior: RoutingBehavior
  private let driftKept: Double
  private var random: RandomSource
  // All [layers, experts], each number of variance 1.
  private let model: [Double]
  private var sequence: [Double] = []
  private var topic: [Double] = []
  private var drift: [Double] = []

  /// The topics of the step's tokens, and of each token the topic's place among them.
  private var topics: [[Double]] = []
  private var topicOfToken: [Int] = []
  // What was drawn for the layer before: [tokens, experts].
  private var driftSteps: [Double] = []
  private var noise: [Double] = []

  init(layers: Int, experts: Int, behavior: RoutingBehavior, random: RandomSource) {
    self.layers = layers
    self.experts = experts
    self.behavior = behavior
    self.random = random
    driftKept = exponential(-1 / behavior.driftTokens)
    model = Self.table(layers, experts, behavior.layerCorrelation, &self.random)
  }

  /// Draws a number for each expert, correlated from layer to layer.
  static func table(
    _ layers: Int, _ experts: Int, _ correlation: Double, _ random: inout RandomSource
  ) -> [Double] {
    let fresh = (1 - correlation * correlation).squareRoot()
    var result: [Double] = []
    result.reserveCapacity(layers * experts)
    for place in 0..<layers * experts {
      let draw = random.nextNormal()
      result.append(
        place < experts ? draw : correlation * result[place - experts] + fresh * draw)
    }
    return result
  }

  /// Begins a sequence that has nothing to do with the one before.
  mutating func beginSequence() {
    sequence = table()
    topic = table()
    drift = table()
  }

  private mutating func table() -> [Double] {
    Self.table(layers, experts, behavior.layerCorrelation, &random)
  }

  /// Begins a step of the sequence: decides where the topic changes.
  mutating func beginStep(tokens: Int) {
    topics.removeAll(keepingCapacity: true)
    topics.append(topic)
    topicOfToken.removeAll(keepingCapacity: true)
    for _ in 0..<tokens {
      if random.nextUnit() * behavior.topicTokens < 1 {
        topic = table()
        topics.append(topic)
      }
      topicOfToken.append(topics.count - 1)
    }
    driftSteps = Array(repeating: 0, count: tokens * experts)
    noise = driftSteps
  }

  /// Fills in one layer's latent scores, [tokens, experts]. Layers must be asked for in order, each
  /// once a step.
  mutating func fill(_ latents: inout [Double], layer: Int) {
    let correlation = layer > 0 ? behavior.layerCorrelation : 0
    let fresh = (1 - correlation * correlation).squareRoot()
    let driftFresh = (1 - driftKept * driftKept).squareRoot()
    let driftScale = behavior.variances.drift.squareRoot()
    let noiseScale = (1 - behavior.persistence).squareRoot()
    var popularity = Array(repeating: 0.0, count: experts)
    let row = layer * experts
    for token in topicOfToken.indices {
      if token == 0 || topicOfToken[token] != topicOfToken[token - 1] {
        fillPopularity(&popularity, topic: topicOfToken[token], layer: layer)
      }
      let start = token * experts
      for expert in 0..<experts {
        let step = correlation * driftSteps[start + expert] + fresh * random.nextNormal()
        let new = correlation * noise[start + expert] + fresh * random.nextNormal()
        driftSteps[start + expert] = step
        noise[start + expert] = new
        let drifted = driftKept * drift[row + expert] + driftFresh * step
        drift[row + expert] = drifted
        latents[start + expert] = popularity[expert] + driftScale * drifted + noiseScale * new
      }
    }
  }

  private func fillPopularity(_ popularity: inout [Double], topic: Int, layer: Int) {
    let variances = behavior.variances
    let modelScale = variances.model.squareRoot()
    let sequenceScale = variances.sequence.squareRoot()
    let topicScale = variances.topic.squareRoot()
    for expert in 0..<experts {
      let place = layer * experts + expert
      popularity[expert] =
        modelScale * model[place] + sequenceScale * sequence[place]
        + topicScale * topics[topic][place]
    }
  }
}
