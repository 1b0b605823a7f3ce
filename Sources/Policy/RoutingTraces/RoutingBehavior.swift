/// How a model's router behaves, in figures: what `SyntheticRouting` makes a trace from.
///
/// Every expert of every layer has a latent score of variance 1 for each token, the sum of parts
/// that live differently long. The shares say how the variance is divided between them; what is left
/// is new for every token.
///
/// | part | lives |
/// | --- | --- |
/// | model | for ever: experts that are popular everywhere |
/// | sequence | for one sequence: language, task, style |
/// | topic | until the topic changes, after `topicTokens` tokens on average |
/// | drift | some `driftTokens` tokens, fading: what the last words were about |
public struct RoutingBehavior: Equatable, Sendable {
  /// The file's name or the shape it is for.
  public var name: String
  /// Variance of the model-wide popularity. All shares are from 0 to 1, and so is their sum.
  public var modelShare: Double
  /// Variance of the sequence's popularity.
  public var sequenceShare: Double
  /// Variance of the topic's popularity.
  public var topicShare: Double
  /// Variance of the short-term part, an autoregression of first order for each expert.
  public var driftShare: Double
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
    name: String, modelShare: Double, sequenceShare: Double, topicShare: Double,
    driftShare: Double, topicTokens: Double, driftTokens: Double, layerCorrelation: Double,
    sharpness: Double, accuracies: [Double], biasShare: Double, renormalizes: Bool
  ) {
    self.name = name
    self.modelShare = modelShare
    self.sequenceShare = sequenceShare
    self.topicShare = topicShare
    self.driftShare = driftShare
    self.topicTokens = topicTokens
    self.driftTokens = driftTokens
    self.layerCorrelation = layerCorrelation
    self.sharpness = sharpness
    self.accuracies = accuracies
    self.biasShare = biasShare
    self.renormalizes = renormalizes
  }

  /// The variance that is new for every token.
  var noiseShare: Double {
    max(0, 1 - modelShare - sequenceShare - topicShare - driftShare)
  }

  /// Why no router behaves like this; nil where one can.
  var problem: String? {
    for (name, share) in [
      ("model", modelShare), ("sequence", sequenceShare), ("topic", topicShare),
      ("drift", driftShare), ("bias", biasShare),
    ] where !(0...1).contains(share) {
      return "the \(name) share is \(share), but must be from 0 to 1"
    }
    if modelShare + sequenceShare + topicShare + driftShare > 1.000_000_001 {
      return "the shares of model, sequence, topic and drift are more than 1 together"
    }
    if !(1...1e9).contains(topicTokens) { return "topicTokens must be from 1 to 1e9" }
    if !(0.01...1e9).contains(driftTokens) { return "driftTokens must be from 0.01 to 1e9" }
    if !(0..<1).contains(layerCorrelation) { return "layerCorrelation must be from 0 to below 1" }
    if !(0.001...100).contains(sharpness) { return "sharpness must be from 0.001 to 100" }
    if accuracies.count > 8 { return "there are accuracies for more than 8 layers ahead" }
    if !accuracies.allSatisfy({ $0 > 0 && $0 <= 1 }) {
      return "accuracies must be above 0 and at most 1"
    }
    return nil
  }
}
