/// How the routers' answers to an earlier layer's hidden state differ from the real ones, on average.
///
/// The layers in between add something to each token's state; what they add on average moves every
/// expert's logit by an average amount. So the running mean of (real − predicted) logarithms of the
/// scores, for each layer, distance and expert, is the image of the mean residual in the space of
/// the scores, and can be learnt from recorded scores alone, where the hidden states are gone. What
/// is the same for all experts of a row (the softmax's denominator) does not matter, because margins
/// are differences.
public struct ScoreCorrection: Sendable {
  /// Rows after which an observation weighs 1/e.
  static let horizon = 1024
  /// The mean is shrunk as if this many rows had shown no difference.
  static let shrinkage = 8.0

  private let distances: Int
  private let experts: Int
  private var means: [Double]
  private var rows: [Int]

  init(layers: Int, distances: Int, experts: Int) {
    self.distances = distances
    self.experts = experts
    means = Array(repeating: 0, count: layers * distances * experts)
    rows = Array(repeating: 0, count: layers * distances)
  }

  /// The mean difference of an expert's score, in octaves.
  public func mean(layer: Int, distance: Int, expert: Int) -> Double {
    means[(layer * distances + distance - 1) * experts + expert]
  }

  /// Corrects a row of binary logarithms.
  func add(to row: inout [Double], layer: Int, distance: Int) {
    let table = layer * distances + distance - 1
    let count = Double(rows[table])
    let trust = count / (count + Self.shrinkage)
    for expert in 0..<experts { row[expert] += trust * means[table * experts + expert] }
  }

  /// - Parameters:
  ///   - predicted: binary logarithms, the row starting at `predictedStart`.
  ///   - real: scores, not logarithms, the row starting at `realStart`.
  mutating func learn(
    predicted: [Double], at predictedStart: Int, real: [Double], at realStart: Int, layer: Int,
    distance: Int
  ) {
    let table = layer * distances + distance - 1
    rows[table] += 1
    let rate = 1 / Double(min(rows[table], Self.horizon))
    for expert in 0..<experts {
      let difference = logScore(real[realStart + expert]) - predicted[predictedStart + expert]
      means[table * experts + expert] += (difference - means[table * experts + expert]) * rate
    }
  }
}

/// How many of the predicted experts were really activated, without and with correction.
public struct PredictionAccuracy: Equatable, Sendable {
  /// Counts of one distance.
  public struct Counts: Equatable, Sendable {
    /// Experts that were predicted: the top-k of each row.
    public var predicted = 0
    /// Of those, activated, by the scores as they came.
    public var raw = 0
    /// Of those, activated, by the corrected scores.
    public var corrected = 0

    public init() {}

    public var rawPercent: Double { percent(raw) }
    public var correctedPercent: Double { percent(corrected) }

    private func percent(_ count: Int) -> Double {
      predicted == 0 ? 0 : 100 * Double(count) / Double(predicted)
    }
  }

  /// Rows after which an observation weighs 1/e in the choice between raw and corrected scores.
  private static let horizon = 256.0

  private let distances: Int
  /// The discounted sum of (corrected − raw), by layer and distance.
  private var advantage: [Double]
  /// The first entry is distance 1.
  public private(set) var byDistance: [Counts]

  init(layers: Int, distances: Int) {
    self.distances = distances
    advantage = Array(repeating: 0, count: layers * distances)
    byDistance = Array(repeating: Counts(), count: distances)
  }

  /// Whether correcting has given more right answers of late.
  public func prefersCorrection(layer: Int, distance: Int) -> Bool {
    advantage[layer * distances + distance - 1] > 0
  }

  mutating func record(layer: Int, distance: Int, activated: Int, raw: Int, corrected: Int) {
    byDistance[distance - 1].predicted += activated
    byDistance[distance - 1].raw += raw
    byDistance[distance - 1].corrected += corrected
    let index = layer * distances + distance - 1
    advantage[index] += Double(corrected - raw) - advantage[index] / Self.horizon
  }
}
