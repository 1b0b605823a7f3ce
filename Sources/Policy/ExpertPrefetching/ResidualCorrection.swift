/// What the layers in between add to a token's hidden state, on average.
///
/// Feeding layer l's state to the router of layer l + d leaves out what the d layers add. The part of
/// that which is the same for all tokens can be learnt as a running mean and added beforehand. The
/// tables are [layers, distances, hidden], so this belongs into an engine, which has the states; from
/// a trace only `ScoreCorrection` can be learnt.
public struct ResidualCorrection: Sendable {
  public let layers: Int
  public let distances: Int
  public let hiddenSize: Int
  /// Tokens after which an observation weighs 1/e.
  public let horizon: Int
  private var means: [Float]
  private var tokens: [Int]
  /// The states of the last `distances` layers of this step, [tokens, hidden].
  private var recent: [[Float]]
  private var recentLayers: [Int]

  public init(layers: Int, distances: Int = 3, hiddenSize: Int, horizon: Int = 4096) {
    precondition(layers > 0 && distances > 0 && hiddenSize > 0 && horizon > 0)
    self.layers = layers
    self.distances = distances
    self.hiddenSize = hiddenSize
    self.horizon = horizon
    means = Array(repeating: 0, count: layers * distances * hiddenSize)
    tokens = Array(repeating: 0, count: layers * distances)
    recent = Array(repeating: [], count: distances)
    recentLayers = Array(repeating: -1, count: distances)
  }

  /// Learns from the router's real input in a layer; layers come in order, and layer 0 begins a step.
  ///
  /// - Parameter states: [tokens, hidden], row-major.
  public mutating func observe(_ states: Span<Float>, layer: Int) {
    precondition((0..<layers).contains(layer) && states.count.isMultiple(of: hiddenSize))
    for distance in 1...distances where layer >= distance {
      let slot = (layer - distance) % distances
      guard recentLayers[slot] == layer - distance, recent[slot].count == states.count else {
        continue
      }
      learn(from: slot, to: states, table: (layer - distance) * distances + distance - 1)
    }
    let slot = layer % distances
    if layer == 0 { for index in recentLayers.indices { recentLayers[index] = -1 } }
    recentLayers[slot] = layer
    recent[slot].removeAll(keepingCapacity: true)
    for index in states.indices { recent[slot].append(states[index]) }
  }

  private mutating func learn(from slot: Int, to states: Span<Float>, table: Int) {
    for start in stride(from: 0, to: states.count, by: hiddenSize) {
      tokens[table] += 1
      let rate = 1 / Float(min(tokens[table], horizon))
      for column in 0..<hiddenSize {
        let residual = states[start + column] - recent[slot][start + column]
        means[table * hiddenSize + column] += (residual - means[table * hiddenSize + column]) * rate
      }
    }
  }

  /// Replaces `result` by a layer's states as they are expected `distance` layers later.
  ///
  /// - Parameter states: [tokens, hidden], row-major.
  public func correct(
    _ states: Span<Float>, layer: Int, distance: Int, into result: inout [Float]
  ) {
    precondition((0..<layers).contains(layer) && (1...distances).contains(distance))
    result.removeAll(keepingCapacity: true)
    let table = (layer * distances + distance - 1) * hiddenSize
    for start in stride(from: 0, to: states.count, by: hiddenSize) {
      for column in 0..<hiddenSize {
        result.append(states[start + column] + means[table + column])
      }
    }
  }
}
