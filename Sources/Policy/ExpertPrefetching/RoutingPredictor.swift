import Experts

/// Foresees the routing of the next layers from the scores that this layer's hidden state gives in
/// their routers.
///
/// Intuition: the hidden state changes little from layer to layer, so the next layers' routers can
/// be asked early (arXiv 2504.05897, section IV-C). Their answers are wrong in two ways. They lean
/// to one side, because the layers in between add something to every token's state that is nearly
/// always the same: `ScoreCorrection` learns that. And they are less sure than they look:
/// `HitCalibration` learns how often they come true. What leaves here is therefore a probability
/// for each expert, not a list of favourites.
///
/// Recorded traces hold the scores; a running engine computes them, and may correct the hidden state
/// itself (`ResidualCorrection`), after which the correction of scores finds nothing left to do.
public struct RoutingPredictor: Sendable {
  /// Rows of a prompt that a forecast is made from, evenly spread; more change nothing but the time.
  static let forecastRows = 64
  /// Rows of a prompt that are kept to learn from.
  static let learningRows = 16

  public let layers: Int
  public let experts: Int
  public let activated: Int
  /// How many layers ahead it looks.
  public let distances: Int
  public private(set) var calibration: HitCalibration
  public private(set) var correction: ScoreCorrection
  public private(set) var accuracy: PredictionAccuracy

  private var forecasts: [Forecast]
  private var pending: [PendingPrediction]
  private var row: [Double]
  private var chosen: TopScores
  private var probabilities = Array(repeating: 0.0, count: HitCalibration.binCount)

  /// - Parameters:
  ///   - activated: experts that each token is routed to; 1 to `experts`.
  ///   - experts: of each layer, at most `ExpertSet.limit`.
  public init(layers: Int, experts: Int, activated: Int, distances: Int = 3) {
    precondition(layers > 0 && distances > 0)
    precondition((1...ExpertSet.limit).contains(experts) && (1...experts).contains(activated))
    self.layers = layers
    self.experts = experts
    self.activated = activated
    self.distances = distances
    calibration = HitCalibration(layers: layers, distances: distances)
    correction = ScoreCorrection(layers: layers, distances: distances, experts: experts)
    accuracy = PredictionAccuracy(layers: layers, distances: distances)
    forecasts = Array(repeating: Forecast(experts: experts), count: distances + 1)
    pending = Array(repeating: PendingPrediction(), count: distances * (distances + 1))
    row = Array(repeating: 0, count: experts)
    chosen = TopScores(limit: activated + 1)
  }

  /// A predictor for the model of a trace.
  public init(_ header: TraceHeader, distances: Int = 3) {
    self.init(
      layers: header.layers, experts: header.experts, activated: header.activated,
      distances: distances)
  }

  /// Learns from a layer's routing and takes the predictions that were recorded with it.
  public mutating func observe(_ event: RoutingEvent) {
    learn(step: event.step, layer: event.layer, ids: event.ids, scores: event.scores)
    for predicted in event.predicted {
      predict(predicted.layer, from: event.layer, step: event.step, scores: predicted.scores)
    }
  }

  /// Takes the scores that the hidden state of `layer` gives in the router of `target`; targets that
  /// are not 1 to `distances` layers ahead are left alone.
  ///
  /// - Parameter scores: probabilities or other positive scores, [tokens, experts], row-major.
  public mutating func predict(_ target: Int, from layer: Int, step: Int, scores: [Double]) {
    let distance = target - layer
    guard (1...distances).contains(distance), target < layers else { return }
    precondition(!scores.isEmpty && scores.count.isMultiple(of: experts))
    let slot = target % (distances + 1)
    pending[slot * distances + distance - 1].keep(
      scores, experts: experts, step: step, layer: target, limit: Self.learningRows)
    prepareProbabilities(layer: target, distance: distance)
    let usesCorrection = accuracy.prefersCorrection(layer: target, distance: distance)
    let tokens = scores.count / experts
    let rows = min(tokens, Self.forecastRows)
    forecasts[slot].reset(layer: target, distance: distance, step: step)
    for sample in 0..<rows {
      let start = sample * tokens / rows * experts
      for expert in 0..<experts { row[expert] = logScore(scores[start + expert]) }
      if usesCorrection { correction.add(to: &row, layer: target, distance: distance) }
      addRow(to: slot)
    }
    forecasts[slot].finish(tokensPerRow: Double(tokens) / Double(rows))
  }

  /// The newest forecast of a layer in this step; `nil` where there is none.
  public func forecast(of layer: Int, step: Int) -> Forecast? {
    let forecast = forecasts[layer % (distances + 1)]
    return forecast.layer == layer && forecast.step == step ? forecast : nil
  }

  /// Writes the newest forecast of a layer into its outlook; tells whether there is one. Without
  /// one the outlook's probabilities become empty.
  @discardableResult
  public func fill(_ outlook: inout LayerOutlook, step: Int) -> Bool {
    outlook.probability.removeAll(keepingCapacity: true)
    outlook.expectedLoad.removeAll(keepingCapacity: true)
    let slot = outlook.layer % (distances + 1)
    guard forecasts[slot].layer == outlook.layer, forecasts[slot].step == step else {
      return false
    }
    outlook.probability.append(contentsOf: forecasts[slot].probability)
    outlook.expectedLoad.append(contentsOf: forecasts[slot].expectedLoad)
    return true
  }

  /// Compares what was predicted for a layer with its real routing.
  ///
  /// - Parameters:
  ///   - ids: activated experts, [tokens, activated].
  ///   - scores: of all experts, [tokens, experts]; empty where unknown: then nothing is corrected.
  public mutating func learn(step: Int, layer: Int, ids: [Int], scores: [Double]) {
    let tokens = ids.count / activated
    for distance in 1...distances {
      let index = layer % (distances + 1) * distances + distance - 1
      let prediction = pending[index]
      guard prediction.layer == layer, prediction.step == step, prediction.tokens == tokens else {
        continue
      }
      pending[index].layer = -1
      calibration.fade(layer: layer, distance: distance)
      for sample in 0..<prediction.rows {
        let token = sample * tokens / prediction.rows
        var real = ExpertSet()
        for choice in 0..<activated { real.insert(ids[token * activated + choice]) }
        learnRow(prediction, sample, real: real, layer: layer, distance: distance)
        guard scores.count == tokens * experts else { continue }
        correction.learn(
          predicted: prediction.scores, at: sample * experts, real: scores, at: token * experts,
          layer: layer, distance: distance)
      }
    }
  }

  private mutating func learnRow(
    _ prediction: PendingPrediction, _ sample: Int, real: ExpertSet, layer: Int, distance: Int
  ) {
    for expert in 0..<experts { row[expert] = prediction.scores[sample * experts + expert] }
    let raw = correct(real)
    let usesCorrection = accuracy.prefersCorrection(layer: layer, distance: distance)
    if !usesCorrection { recordRow(real, layer: layer, distance: distance) }
    correction.add(to: &row, layer: layer, distance: distance)
    let corrected = correct(real)
    if usesCorrection { recordRow(real, layer: layer, distance: distance) }
    accuracy.record(
      layer: layer, distance: distance, activated: activated, raw: raw, corrected: corrected)
  }

  /// How many of the row's best experts were really activated; leaves them in `chosen`.
  private mutating func correct(_ real: ExpertSet) -> Int {
    chosen.select(from: row)
    var count = 0
    for rank in 0..<activated where real.contains(chosen.indices[rank]) { count += 1 }
    return count
  }

  private mutating func recordRow(_ real: ExpertSet, layer: Int, distance: Int) {
    guard activated < experts else { return }
    let line = chosen.line
    for expert in 0..<experts {
      calibration.record(
        layer: layer, distance: distance, bin: HitCalibration.bin(margin: row[expert] - line),
        activated: real.contains(expert))
    }
  }

  private mutating func prepareProbabilities(layer: Int, distance: Int) {
    for bin in 0..<HitCalibration.binCount {
      probabilities[bin] = calibration.probability(layer: layer, distance: distance, bin: bin)
    }
  }

  private mutating func addRow(to slot: Int) {
    guard activated < experts else { return forecasts[slot].addCertainRow() }
    chosen.select(from: row)
    let line = chosen.line
    for expert in 0..<experts {
      forecasts[slot].add(
        probabilities[HitCalibration.bin(margin: row[expert] - line)], expert: expert)
    }
  }
}

/// A score's binary logarithm; scores of 0 and absurd ones are held within 60 octaves.
func logScore(_ score: Double) -> Double {
  guard score > 8.7e-19 else { return -60 }
  return binaryLogarithm(min(score, 1.1e18))
}
