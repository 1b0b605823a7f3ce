/// How a model's router behaves, in figures: what `SyntheticRouting` makes a trace from.
///
/// Every expert of every layer has a latent score of variance 1 for each token, the sum of parts
/// that live differently long; what is left of the variance is new for every token.
///
/// | part | lives |
/// | --- | --- |
/// | model | for ever: experts that are popular everywhere |
/// | sequence | for one sequence: language, task, style |
/// | topic | until the topic changes, after `topicTokens` tokens on average |
/// | drift | some `driftTokens` tokens, fading: what the last words were about |
public struct RoutingBehavior: Equatable, Sendable {
  /// How the lasting variance is divided between the parts: weights of at least 0, of which only
  /// the proportions count.
  public struct Parts: Equatable, Sendable {
    public var model: Double
    public var sequence: Double
    public var topic: Double
    public var drift: Double

    public init(model: Double, sequence: Double, topic: Double, drift: Double) {
      self.model = model
      self.sequence = sequence
      self.topic = topic
      self.drift = drift
    }
  }

  /// The share of the variance that outlives a token, 0 to 1: all parts together.
  public var persistence: Double
  public var parts: Parts
  /// Mean tokens between changes of topic, at least 1; the time is memoryless.
  public var topicTokens: Double
  /// Tokens after which the short-term part has faded to 1/e of its correlation, above 0.
  public var driftTokens: Double
  /// Correlation of every part with the same part of the same expert number in the layer before,
  /// from 0 to 1 (1 excluded): popular paths through the layers.
  public var layerCorrelation: Double
  /// Logits are latent scores times this: how unequal the router's probabilities are. Does not
  /// change which experts are activated.
  public var sharpness: Double
  /// The share of the truly activated experts that is among the predicted top-k, by distance in
  /// layers from 1; empty for none.
  public var accuracies: [Double]
  /// The share of the predictions' errors (as variance) that is the same for all tokens: what a
  /// correction by the running mean can learn. From 0 to 1.
  public var biasShare: Double
  /// Whether the weights of the activated experts are divided by their sum.
  public var renormalizes: Bool

  public init(
    persistence: Double, parts: Parts, topicTokens: Double, driftTokens: Double,
    layerCorrelation: Double, sharpness: Double, accuracies: [Double], biasShare: Double,
    renormalizes: Bool
  ) {
    self.persistence = persistence
    self.parts = parts
    self.topicTokens = topicTokens
    self.driftTokens = driftTokens
    self.layerCorrelation = layerCorrelation
    self.sharpness = sharpness
    self.accuracies = accuracies
    self.biasShare = biasShare
    self.renormalizes = renormalizes
  }

  /// The variance of each part.
  var variances: Parts {
    let scale = persistence / max(.leastNormalMagnitude, parts.sum)
    return Parts(
      model: parts.model * scale, sequence: parts.sequence * scale, topic: parts.topic * scale,
      drift: parts.drift * scale)
  }

  /// Why no router behaves like this; nil where one can.
  var problem: String? {
    func outside(_ name: String, _ value: Double, _ range: ClosedRange<Double>) -> String? {
      range.contains(value)
        ? nil : "\(name) is \(value), but must be from \(range.lowerBound) to \(range.upperBound)"
    }
    let weights = [parts.model, parts.sequence, parts.topic, parts.drift]
    if !weights.allSatisfy((0...1e6).contains) || !(1e-6...).contains(parts.sum) {
      return "the weights of the parts must be at least 0, and one of them above"
    }
    if accuracies.count > Self.maximumDistance {
      return "there are accuracies for more than \(Self.maximumDistance) layers ahead"
    }
    return outside("persistence", persistence, 0...1)
      ?? outside("topicTokens", topicTokens, 1...1e9)
      ?? outside("driftTokens", driftTokens, 0.01...1e9)
      ?? outside("layerCorrelation", layerCorrelation, 0...0.999)
      ?? outside("sharpness", sharpness, 0.001...100)
      ?? outside("biasShare", biasShare, 0...1)
      ?? accuracies.lazy.compactMap { outside("an accuracy", $0, 0.001...1) }.first
  }

  /// Layers ahead that can be foreseen.
  public static let maximumDistance = 8
}

extension RoutingBehavior.Parts {
  fileprivate var sum: Double { model + sequence + topic + drift }
}
