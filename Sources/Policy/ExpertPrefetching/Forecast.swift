/// The expected routing of one layer.
public struct Forecast: Equatable, Sendable {
  /// The MoE layer, counted from 0; −1 where nothing was forecast yet.
  public internal(set) var layer = -1
  /// How many layers ahead it was made.
  public internal(set) var distance = 0
  public internal(set) var step = -1
  /// For each expert, the probability that at least one token activates it.
  public internal(set) var probability: [Double]
  /// For each expert, the number of tokens that are expected to activate it.
  public internal(set) var expectedLoad: [Double]

  init(experts: Int) {
    probability = Array(repeating: 0, count: experts)
    expectedLoad = Array(repeating: 0, count: experts)
  }

  /// Until `finish`, `probability` holds the product of the rows' probabilities of *not* being
  /// activated.
  mutating func reset(layer: Int, distance: Int, step: Int) {
    self.layer = layer
    self.distance = distance
    self.step = step
    for expert in probability.indices {
      probability[expert] = 1
      expectedLoad[expert] = 0
    }
  }

  mutating func add(_ rowProbability: Double, expert: Int) {
    probability[expert] *= 1 - rowProbability
    expectedLoad[expert] += rowProbability
  }

  mutating func addCertainRow() {
    for expert in probability.indices { add(1, expert: expert) }
  }

  /// - Parameter tokensPerRow: tokens that each row stands for.
  mutating func finish(tokensPerRow: Double) {
    for expert in probability.indices {
      let absent = probability[expert]
      if tokensPerRow > 1, absent > 1e-300, absent < 1 {
        let power = max(-1000, binaryLogarithm(absent) * tokensPerRow)
        probability[expert] = 1 - powerOfTwo(power)
      } else {
        probability[expert] = 1 - absent
      }
      expectedLoad[expert] *= tokensPerRow
    }
  }
}

/// Scores that wait for their layer's real routing.
struct PendingPrediction: Sendable {
  var layer = -1
  var step = -1
  /// Tokens of the step, of which `rows` are kept, evenly spread.
  var tokens = 0
  var rows = 0
  /// Binary logarithms, [rows, experts].
  var scores: [Double] = []

  mutating func keep(_ source: [Double], experts: Int, step: Int, layer: Int, limit: Int) {
    self.layer = layer
    self.step = step
    tokens = source.count / experts
    rows = min(tokens, limit)
    scores.removeAll(keepingCapacity: true)
    for sample in 0..<rows {
      let start = sample * tokens / rows * experts
      for expert in 0..<experts { scores.append(logScore(source[start + expert])) }
    }
  }
}

/// The largest scores of a row, best first; ties go to the lower index.
struct TopScores: Sendable {
  private(set) var indices: [Int]
  private(set) var scores: [Double]
  private(set) var count = 0

  init(limit: Int) {
    indices = Array(repeating: 0, count: limit)
    scores = Array(repeating: 0, count: limit)
  }

  /// - Complexity: O(experts · limit) at worst, in practice one comparison for most experts.
  mutating func select(from row: [Double]) {
    count = 0
    for index in row.indices {
      let score = row[index]
      if count == scores.count, score <= scores[count - 1] { continue }
      var place = count < scores.count ? count : count - 1
      while place > 0, scores[place - 1] < score {
        scores[place] = scores[place - 1]
        indices[place] = indices[place - 1]
        place -= 1
      }
      scores[place] = score
      indices[place] = index
      if count < scores.count { count += 1 }
    }
  }

  /// Between the last chosen score and the first that is not; the row must have more scores than
  /// are chosen.
  var line: Double { (scores[count - 1] + scores[count - 2]) / 2 }
}
