import CPUCompute

/// Chooses a layer's experts for each token.
///
/// Scores come from the router's logits by the gating; the bias and the groups only decide who is
/// chosen; the weights are the plain scores of the chosen, then normalised and scaled where the model
/// says so. Ties go to the lower number.
public struct Router: Sendable {
  public enum Gating: Sendable, Equatable {
    /// Softmax over all experts.
    case softmax
    /// 1 / (1 + e⁻ˣ), each expert for itself.
    case sigmoid
    /// The logits choose; softmax over the chosen gives the weights.
    case softmaxOfChosen
  }

  /// How a group of experts is ranked where only some groups may be chosen from.
  public enum GroupScore: Sendable, Equatable {
    /// Its best expert (DeepSeek-V2's `group_limited_greedy`).
    case best
    /// The sum of its two best, bias included (DeepSeek-V3's `noaux_tc`).
    case bestTwo
  }

  /// [experts, hidden]
  public let weight: WeightMatrix
  public var bias: FloatVector?
  /// Added to the scores for choosing only. [experts]
  public var selectionBias: FloatVector?
  public let gating: Gating
  public let activeCount: Int
  public var groupCount = 1
  public var usedGroupCount = 1
  public var groupScore = GroupScore.bestTwo
  /// Whether the weights of the chosen are divided by their sum.
  public let normalizes: Bool
  public var scale: Float = 1

  public var expertCount: Int { weight.rowCount }

  /// The smallest divisor of the weights' sum: the smallest normal half float, as llama.cpp has it.
  private static let smallestSum: Float = 6.103515625e-5

  public init(
    weight: WeightMatrix, gating: Gating, activeCount: Int, normalizes: Bool,
    bias: FloatVector? = nil
  ) {
    self.weight = weight
    self.gating = gating
    self.activeCount = activeCount
    self.normalizes = normalizes
    self.bias = bias
  }

  /// The chosen experts, best first, and their weights: [tokens × activeCount] each; and what they
  /// were chosen by, before any bias for choosing: [tokens, experts].
  func route(
    _ x: Activation, step: Step
  ) throws -> (ids: [Int32], weights: [Float], scores: Activation) {
    let scores = try scores(x, step: step)
    var ids: [Int32] = []
    var weights: [Float] = []
    ids.reserveCapacity(x.rowCount * activeCount)
    weights.reserveCapacity(x.rowCount * activeCount)
    var selection = [Float](repeating: 0, count: expertCount)
    for token in 0..<x.rowCount {
      let row = scores.row(token)
      for expert in 0..<expertCount { selection[expert] = row[expert] }
      choose(&selection, scores: row, ids: &ids, weights: &weights)
    }
    return (ids, weights, scores)
  }

  /// What the gating makes of the router's logits. [tokens, experts]
  private func scores(_ x: Activation, step: Step) throws -> Activation {
    let scores = try step.workspace.take(rows: x.rowCount, columns: expertCount)
    try step.compute.multiply([MatrixProduct(x, weight, bias: bias?.base, into: scores)])
    switch gating {
    case .softmax: step.compute.softmax(scores)
    case .sigmoid: step.compute.sigmoid(scores)
    case .softmaxOfChosen: break
    }
    return scores
  }

  /// The probability of every expert, [tokens × experts]: the scores, except that logits which only
  /// the chosen share a softmax of become a softmax over all. Uses up the scores.
  func probabilities(_ scores: Activation, step: Step) -> [Float] {
    if gating == .softmaxOfChosen { step.compute.softmax(scores) }
    return (0..<scores.rowCount).flatMap { scores.values(ofRow: $0) }
  }

  /// The probability that a hidden state gives every expert. [tokens × experts]
  func probabilities(of x: Activation, step: Step) throws -> [Float] {
    probabilities(try scores(x, step: step), step: step)
  }

  /// Appends the experts of one token.
  func choose(
    _ selection: inout [Float], scores: UnsafePointer<Float>, ids: inout [Int32],
    weights: inout [Float]
  ) {
    if let selectionBias {
      for expert in 0..<expertCount { selection[expert] += selectionBias[expert] }
    }
    if groupCount > 1 { Router.keepBestGroups(&selection, groupCount, usedGroupCount, groupScore) }
    let start = weights.count
    for best in Router.indicesOfLargest(&selection, count: activeCount) {
      ids.append(Int32(best))
      weights.append(scores[best])
    }
    if gating == .softmaxOfChosen { Router.softmax(&weights, from: start) }
    if normalizes {
      let sum = max(weights[start...].reduce(0, +), Router.smallestSum)
      for index in start..<weights.count { weights[index] /= sum }
    }
    if scale != 1 { for index in start..<weights.count { weights[index] *= scale } }
  }

  /// The numbers of the `count` largest scores, largest first, the lower number first among equals; NaN
  /// is below everything. Uses up the scores.
  /// - Complexity: O(scores × count) for the few that models choose, O(scores log scores) for more.
  static func indicesOfLargest(_ scores: inout [Float], count: Int) -> [Int] {
    guard count <= 32 else {
      let order = scores.indices.sorted { left, right in
        let (a, b) = (scores[left], scores[right])
        if a.isNaN || b.isNaN { return b.isNaN && (!a.isNaN || left < right) }
        return a > b || a == b && left < right
      }
      return Array(order.prefix(count))
    }
    return (0..<count).map { _ in
      let best = indexOfLargest(scores)
      scores[best] = .nan
      return best
    }
  }

  /// The first of the largest numbers that are not NaN; 0 where all are.
  static func indexOfLargest(_ values: [Float]) -> Int {
    var best = -1
    for (index, value) in values.enumerated() where !value.isNaN {
      if best < 0 || value > values[best] { best = index }
    }
    return max(best, 0)
  }

  /// Sets the scores of all but the best groups to −∞.
  static func keepBestGroups(
    _ selection: inout [Float], _ groupCount: Int, _ usedCount: Int, _ score: GroupScore
  ) {
    let size = selection.count / groupCount
    var groupScores = (0..<groupCount).map { group -> Float in
      var best = -Float.infinity
      var second = -Float.infinity
      for value in selection[(group * size)..<((group + 1) * size)] {
        if value > best { (best, second) = (value, best) } else if value > second { second = value }
      }
      return score == .best || size < 2 ? best : best + second
    }
    var kept = [Bool](repeating: false, count: groupCount)
    for _ in 0..<min(usedCount, groupCount) {
      let best = indexOfLargest(groupScores)
      kept[best] = true
      groupScores[best] = .nan
    }
    for group in 0..<groupCount where !kept[group] {
      for expert in (group * size)..<((group + 1) * size) { selection[expert] = -.infinity }
    }
  }

  private static func softmax(_ values: inout [Float], from start: Int) {
    values.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      CPUBackend.softmax(base + start, count: buffer.count - start)
    }
  }
}
