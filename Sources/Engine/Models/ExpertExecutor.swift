import CPUCompute

/// The routed experts' work of one layer of one step: a value that says all there is to do.
public struct ExpertDemand {
  /// The layer's number in the file.
  public let layer: Int
  /// The normalised hidden states. [tokens, hidden]
  public let input: Activation
  /// Which experts each token goes to, best first. [tokens × ranks]
  public let ids: [Int32]
  /// With which weight each expert's output counts. [tokens × ranks]
  public let weights: [Float]
  /// Experts per token.
  public let ranks: Int
  /// Where the weighted sums go. [tokens, hidden], overwritten.
  public let output: Activation
}

/// Computes routed experts, wherever it likes: on this processor, on a GPU, on both, elsewhere.
///
/// A layer's demand is submitted, other work of the layer (the shared expert) goes on, and then the
/// result is awaited. Both are plain calls: a step has hundreds of them and a suspension would cost
/// more than the work. The memory of a demand stays valid until its `wait` returns.
public protocol ExpertExecutor: AnyObject {
  /// Begins a layer's work. At most one demand is under way, and each is awaited, also where the
  /// caller fails in between.
  func submit(_ demand: ExpertDemand) throws
  /// Returns when the output of the submitted demand is complete.
  func wait() throws
}

/// The weights of one layer's routed experts, each expert's matrices by its number.
public struct ExpertLayer: Sendable {
  /// [expertCount], each [width, hidden]
  public let gate: [WeightMatrix]
  /// [expertCount], each [width, hidden]
  public let up: [WeightMatrix]
  /// [expertCount], each [hidden, width]
  public let down: [WeightMatrix]
  /// Biases, where the architecture has them: [expertCount] each.
  public let gateBias: [FloatVector]?
  public let upBias: [FloatVector]?
  public let downBias: [FloatVector]?
  public let activation: GatedActivation

  public init(
    gate: [WeightMatrix], up: [WeightMatrix], down: [WeightMatrix], gateBias: [FloatVector]?,
    upBias: [FloatVector]?, downBias: [FloatVector]?, activation: GatedActivation
  ) {
    self.gate = gate
    self.up = up
    self.down = down
    self.gateBias = gateBias
    self.upBias = upBias
    self.downBias = downBias
    self.activation = activation
  }

  public var expertCount: Int { gate.count }
  /// Numbers between the projections.
  public var width: Int { gate.first?.rowCount ?? 0 }
}

/// The routed experts on this processor.
///
/// Nothing runs beside the caller here, so `submit` only takes note and `wait` does the work, on the
/// same thread team as everything else.
public final class CPUExpertExecutor: ExpertExecutor {
  private let layers: [Int: ExpertLayer]
  private let compute: CPUBackend
  private let workspace = Workspace()
  private var pending: ExpertDemand?

  public init(layers: [Int: ExpertLayer], compute: CPUBackend) {
    self.layers = layers
    self.compute = compute
  }

  public func submit(_ demand: ExpertDemand) throws {
    precondition(pending == nil, "a demand is under way")
    pending = demand
  }

  public func wait() throws {
    guard let demand = pending else { return }
    pending = nil
    guard let layer = layers[demand.layer] else {
      preconditionFailure("layer \(demand.layer) has no experts")
    }
    let mark = workspace.mark
    defer { workspace.release(to: mark) }
    let groups = ExpertGroups(
      ids: demand.ids, ranks: demand.ranks, expertCount: layer.expertCount)
    let pairCount = demand.ids.count
    let hidden = try workspace.takeRecords(
      rows: pairCount, columns: layer.width, width: layer.down[0].activationWidth)
    let sorted = try workspace.take(rows: pairCount, columns: demand.output.columnCount)
    try compute.multiplyGated(
      groups.runs.map { expert, rows in
        GatedProduct(
          demand.input, rows: groups.tokens[rows], gate: layer.gate[expert], up: layer.up[expert],
          gateBias: layer.gateBias?[expert].base, upBias: layer.upBias?[expert].base,
          activation: layer.activation, into: hidden.rows(rows))
      })
    compute.profile?.mark(.expertGateUp)
    try compute.multiply(
      groups.runs.map { expert, rows in
        MatrixProduct(
          hidden.rows(rows), layer.down[expert], bias: layer.downBias?[expert].base,
          into: sorted.rows(rows))
      })
    compute.profile?.mark(.expertDown)
    compute.combine(
      sorted, order: groups.position, weights: demand.weights, ranks: demand.ranks,
      into: demand.output)
  }
}

/// The (token, rank) pairs of a demand, grouped by expert.
struct ExpertGroups {
  /// Activated experts in ascending order with their rows in the grouped order.
  private(set) var runs: [(expert: Int, rows: Range<Int>)] = []
  /// Where each pair's row is in the grouped order. [tokens × ranks]
  private(set) var position: [Int]
  /// The token of each row in the grouped order. [tokens × ranks]
  private(set) var tokens: [Int32]

  init(ids: [Int32], ranks: Int, expertCount: Int) {
    var next = [Int](repeating: 0, count: expertCount)
    for id in ids { next[Int(id)] += 1 }
    var start = 0
    for expert in 0..<expertCount where next[expert] > 0 {
      let load = next[expert]
      runs.append((expert, start..<(start + load)))
      next[expert] = start
      start += load
    }
    position = [Int](repeating: 0, count: ids.count)
    tokens = [Int32](repeating: 0, count: ids.count)
    for (pair, id) in ids.enumerated() {
      let row = next[Int(id)]
      position[pair] = row
      tokens[row] = Int32(pair / ranks)
      next[Int(id)] += 1
    }
  }
}
