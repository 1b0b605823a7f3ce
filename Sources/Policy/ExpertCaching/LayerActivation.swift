import Experts

/// What one routing event means to a cache: the distinct experts, their loads, and the highest
/// router scores of each token.
///
/// Made once for each event and read by every policy and ghost. Its buffers are kept from event to
/// event, so that nothing is allocated once the largest event has been seen.
public struct LayerActivation: Sendable {
  /// The event's number in the order of the trace, from 0.
  public private(set) var ordinal = -1
  public private(set) var step = 0
  public private(set) var phase = Phase.prefill
  public private(set) var layer = 0
  public private(set) var tokens = 0
  /// The distinct experts, in order of first appearance.
  public private(set) var activated: [Int] = []
  /// Tokens routed to each expert of the layer; 0 for those that are not activated.
  public private(set) var loads: [Int]
  /// The experts that hold each token's highest scores: [tokens, `keptPerToken`].
  public private(set) var keptExperts: [Int] = []
  /// Their scores.
  public private(set) var keptScores: [Double] = []
  public private(set) var keptPerToken = 0
  /// The mean over the event's tokens of the router's probability of each expert; of its routing
  /// weight where there are no scores. Only for an event of more than one token.
  public private(set) var meanScores: [Double]

  /// Whether the event has router scores.
  public private(set) var hasScores = false
  /// The k-th best score, that of the last expert chosen: its mean over tokens, like `meanScores`,
  /// and the last token's.
  public private(set) var meanLine = 0.0
  public private(set) var lastLine = 0.0
  /// The last token's experts, best first.
  public private(set) var lastExperts: [Int] = []
  /// The last token's scores or weights.
  public private(set) var lastScores: [Double]

  /// Experts of a layer.
  public var experts: Int { loads.count }
  private let topK: Int

  /// - Parameters:
  ///   - experts: experts of each layer.
  ///   - topK: experts that each token is routed to.
  public init(experts: Int, topK: Int) {
    self.topK = topK
    loads = Array(repeating: 0, count: experts)
    meanScores = Array(repeating: 0, count: experts)
    lastScores = meanScores
  }

  /// Reads an event in place of the one before.
  ///
  /// The event must be of the right shape, as `TraceReader` and the engine make it: `topK` ids a
  /// token, all below `experts`, tables either empty or complete.
  /// - Complexity: O(tokens × experts).
  public mutating func read(_ event: RoutingEvent) {
    precondition(topK > 0 && event.ids.count % topK == 0, "an event's ids are rows of \(topK)")
    ordinal += 1
    step = event.step
    phase = event.phase
    layer = event.layer
    tokens = event.ids.count / topK
    for index in activated { loads[index] = 0 }
    activated.removeAll(keepingCapacity: true)
    for index in event.ids {
      if loads[index] == 0 { activated.append(index) }
      loads[index] += 1
    }
    keptExperts.removeAll(keepingCapacity: true)
    keptScores.removeAll(keepingCapacity: true)
    hasScores = !event.scores.isEmpty
    if hasScores { keepHighestScores(event) } else { keepWeights(event) }
    readLast(event)
  }

  private mutating func readLast(_ event: RoutingEvent) {
    lastExperts.removeAll(keepingCapacity: true)
    meanLine = 0
    lastLine = 0
    guard tokens > 0 else { return }
    for place in (tokens - 1) * topK..<tokens * topK { lastExperts.append(event.ids[place]) }
    if hasScores {
      let row = (tokens - 1) * experts
      for expert in 0..<experts { lastScores[expert] = event.scores[row + expert] }
    } else {
      for expert in 0..<experts { lastScores[expert] = 0 }
      for place in (tokens - 1) * topK..<tokens * topK {
        lastScores[event.ids[place]] = keptScores[place]
      }
    }
    lastLine = line(tokens - 1)
    if tokens > 1 { readMeans(event) }
  }

  // The k-th best score of a token.
  private func line(_ token: Int) -> Double {
    let first = token * keptPerToken
    if hasScores { return keptScores[first + topK - 1] }
    return keptScores[first..<first + topK].min() ?? 0
  }

  private mutating func readMeans(_ event: RoutingEvent) {
    for expert in 0..<experts { meanScores[expert] = 0 }
    for token in 0..<tokens { meanLine += line(token) }
    if hasScores {
      for token in 0..<tokens {
        for expert in 0..<experts { meanScores[expert] += event.scores[token * experts + expert] }
      }
    } else {
      for (index, score) in zip(keptExperts, keptScores) { meanScores[index] += score }
    }
    for expert in 0..<experts { meanScores[expert] /= Double(tokens) }
    meanLine /= Double(tokens)
  }

  // Reads what `ActivationLog` has kept of an event.
  mutating func restore(
    ordinal: Int, step: Int, phase: Phase, layer: Int, tokens: Int, experts: ArraySlice<UInt32>,
    loads: ArraySlice<UInt32>
  ) {
    self.ordinal = ordinal
    self.step = step
    self.phase = phase
    self.layer = layer
    self.tokens = tokens
    for index in activated { self.loads[index] = 0 }
    activated.removeAll(keepingCapacity: true)
    for (index, load) in zip(experts, loads) {
      activated.append(Int(index))
      self.loads[Int(index)] = Int(load)
    }
    hasScores = false
    lastExperts.removeAll(keepingCapacity: true)
    keptPerToken = 0
    keptExperts.removeAll(keepingCapacity: true)
    keptScores.removeAll(keepingCapacity: true)
  }

  // Without scores a token's weights stand for them. A trace without weights either says only who
  // was chosen: all the chosen weigh the same.
  private mutating func keepWeights(_ event: RoutingEvent) {
    keptPerToken = topK
    keptExperts.append(contentsOf: event.ids)
    if event.weights.isEmpty {
      let even = 1 / Double(topK)
      for _ in event.ids { keptScores.append(even) }
    } else {
      keptScores.append(contentsOf: event.weights)
    }
  }

  // The paper keeps the p = 2 × top-k largest; of equal ones the lowest id.
  private mutating func keepHighestScores(_ event: RoutingEvent) {
    let kept = min(2 * topK, experts)
    keptPerToken = kept
    let scores = event.scores.span
    for token in 0..<tokens {
      let row = token * experts
      let first = keptScores.count
      var lowest = -Double.infinity
      for expert in 0..<experts {
        let score = scores[row + expert]
        guard score > lowest else { continue }
        var place = keptScores.count
        if place - first == kept {
          place -= 1
        } else {
          keptScores.append(score)
          keptExperts.append(expert)
        }
        while place > first, keptScores[place - 1] < score {
          keptScores[place] = keptScores[place - 1]
          keptExperts[place] = keptExperts[place - 1]
          place -= 1
        }
        keptScores[place] = score
        keptExperts[place] = expert
        if keptScores.count - first == kept { lowest = keptScores[first + kept - 1] }
      }
    }
  }
}
