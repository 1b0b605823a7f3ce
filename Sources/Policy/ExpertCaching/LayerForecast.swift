/// Learns, while the model runs, how likely each expert of one layer is to be needed soon.
///
/// Intuition: no fixed rule knows how fast a model's routing forgets. Some layers follow the topic
/// for hundreds of tokens, others only the last few; so several memories of different length are
/// kept of each expert, and how much each of them says is learned from what is activated next.
///
/// The rule: an online logistic regression over `ForecastFeatures`, its weights shared by the experts
/// of the layer, learned by AdaGrad (Duchi et al. 2011). Two outputs over the same features:
/// - `probabilities`: that a token activates the expert when the layer runs next; calibrated,
///   because it is fitted to just that.
/// - `values`: what ranks residents. The target is 1 where the next event activates the expert, else
///   `patience` times the value after that event: the expected `patience`^(events until the next
///   use, less one). Of two experts it prefers the one that is used sooner, as MIN does, and looks
///   beyond the next event, which a slot outlives.
///
/// Rejected: a full second-order fit (8 times the work for 0.1 points of hit rate), longer patience
/// (0.8 and 0.95 are no better than 0.5), more memories (14 features for 0.1 points), weights that all
/// layers learn together (0.1 to 0.4 points more on some traces, as much less on others).
public struct LayerForecast: Sendable {
  /// How much a use one event later is worth.
  static let patience = 0.5
  /// AdaGrad's step, and the squared gradients it starts from, which keep first steps small.
  static let stepSize = 0.3
  static let firstSquares = 4.0

  /// For each expert, the probability that a token activates it when the layer runs next.
  public private(set) var probabilities: [Double]
  /// For each expert, how soon and how surely it is needed: 0 to 1, higher stays.
  public private(set) var values: [Double]
  private var features: ForecastFeatures
  private var probabilityHead = LogisticHead(ForecastFeatures.firstWeights(hasScores: true))
  private var valueHead = LogisticHead(ForecastFeatures.firstWeights(hasScores: true))
  private var errors: [Double]
  private var isFirst = true

  public init(experts: Int, topK: Int) {
    features = ForecastFeatures(experts: experts, topK: topK)
    probabilities = Array(repeating: Double(topK) / Double(experts), count: experts)
    values = probabilities
    errors = Array(repeating: 0, count: experts)
  }

  /// Learns from what the layer activated, then forecasts its next event.
  /// - Complexity: O(experts), about 2 µs for 64.
  public mutating func observe(_ event: LayerActivation, base: Int, history: UseHistory) {
    let tokens = Double(event.tokens)
    if isFirst, !event.hasScores {
      probabilityHead = LogisticHead(ForecastFeatures.firstWeights(hasScores: false))
      valueHead = probabilityHead
    }
    // Gradients need the features and forecasts from before this event; values of after it.
    if !isFirst {
      for index in errors.indices {
        errors[index] = Double(event.loads[index]) / tokens - probabilities[index]
      }
      probabilityHead.learn(errors, features.table)
      for index in errors.indices { errors[index] = values[index] }
    }
    let previous = features.advance(event, base: base, history: history)
    valueHead.forecast(&values, features.table)
    if !isFirst {
      for index in errors.indices {
        let share = Double(event.loads[index]) / tokens
        let target = share + (1 - share) * Self.patience * values[index]
        errors[index] = target - errors[index]
      }
      valueHead.learn(errors, previous)
    }
    probabilityHead.forecast(&probabilities, features.table)
    isFirst = false
  }
}

/// The weights of one output.
struct LogisticHead: Sendable {
  private(set) var weights: [Double]
  private var squares: [Double]

  init(_ weights: [Double]) {
    self.weights = weights
    squares = Array(repeating: LayerForecast.firstSquares, count: weights.count)
  }

  /// Writes the sigmoid of each column's weighted sum; `table` is [features, experts].
  func forecast(_ outputs: inout [Double], _ table: [Double]) {
    let count = outputs.count
    for index in 0..<count { outputs[index] = weights[0] }
    for feature in 1..<weights.count {
      let weight = weights[feature]
      let row = feature * count
      for index in 0..<count { outputs[index] += weight * table[row + index] }
    }
    for index in 0..<count { outputs[index] = Elementary.sigmoid(outputs[index]) }
  }

  /// One step along the gradient of the cross-entropy: target − output, times the features.
  mutating func learn(_ errors: [Double], _ table: [Double]) {
    for feature in weights.indices {
      let gradient = Self.product(errors, table, from: feature * errors.count)
      squares[feature] += gradient * gradient
      weights[feature] += LayerForecast.stepSize * gradient / squares[feature].squareRoot()
    }
  }

  // Four sums at a time: one alone would wait for each addition in turn.
  private static func product(_ left: [Double], _ right: [Double], from first: Int) -> Double {
    let (left, right) = (left.span, right.span)
    let whole = left.count & ~3
    var (sum0, sum1, sum2, sum3) = (0.0, 0.0, 0.0, 0.0)
    var index = 0
    while index < whole {
      sum0 += left[index] * right[first + index]
      sum1 += left[index + 1] * right[first + index + 1]
      sum2 += left[index + 2] * right[first + index + 2]
      sum3 += left[index + 3] * right[first + index + 3]
      index += 4
    }
    while index < left.count {
      sum0 += left[index] * right[first + index]
      index += 1
    }
    return (sum0 + sum1) + (sum2 + sum3)
  }
}
