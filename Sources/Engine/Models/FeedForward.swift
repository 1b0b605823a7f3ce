import CPUCompute

/// A gated feed-forward block without experts: down(activation(gate x, up x)).
package struct DenseFeedForward: Sendable {
  /// [width, hidden]
  package let gate: WeightMatrix
  /// [width, hidden]
  package let up: WeightMatrix
  /// [hidden, width]
  package let down: WeightMatrix

  /// Takes `ffn_gate`, `ffn_up` and `ffn_down` with the suffix from the table.
  /// - Throws: `ModelError`.
  init(
    _ table: WeightTable, layer: Int, suffix: String = "", hiddenSize: Int, width: Int,
    purpose: String
  ) throws {
    func matrix(_ name: String, _ rows: Int, _ columns: Int) throws -> WeightMatrix {
      try table.matrix(
        "blk.\(layer).ffn_\(name)\(suffix).weight", rows: rows, columns: columns, purpose: purpose)
    }
    gate = try matrix("gate", width, hiddenSize)
    up = try matrix("up", width, hiddenSize)
    down = try matrix("down", hiddenSize, width)
  }

  /// Numbers of work space that one token takes.
  package var workPerToken: Int { gate.rowCount }

  package func forward(_ x: Activation, step: Step, into out: Activation) throws {
    let hidden = try step.workspace.takeRecords(
      rows: x.rowCount, columns: gate.rowCount, width: down.activationWidth)
    try step.compute.multiplyGated([
      GatedProduct(x, gate: gate, up: up, activation: .silu, into: hidden)
    ])
    try step.compute.multiply([MatrixProduct(hidden, down, into: out)])
  }
}

/// A Mixture-of-Experts block: router, routed experts, and the shared expert where there is one.
package struct ExpertFeedForward: Sendable {
  /// An expert that every token goes to, in some models weighted by σ(x · gate).
  package struct Shared: Sendable {
    package let network: DenseFeedForward
    /// [1, hidden]
    package var gate: WeightMatrix?
  }

  package let router: Router
  package let experts: ExpertLayer
  package var shared: Shared?

  /// Numbers of work space that one token takes.
  package var workPerToken: Int {
    let width = experts.width
    let hidden = experts.down.first?.rowCount ?? 0
    let pairs = router.activeCount * (hidden + width)
    return router.expertCount + pairs + (shared.map { $0.network.workPerToken + hidden } ?? 0)
  }

  /// - Parameter predicted: what the observer is told about later layers.
  package func forward(
    _ x: Activation, layer: Int, step: Step, predicted: [(layer: Int, scores: [Float])],
    into out: Activation
  ) throws {
    let (ids, weights, scores) = try router.route(x, step: step)
    step.compute.profile?.mark(.router)
    if let observer = step.observer {
      observer.didRoute(
        LayerRouting(
          layer: layer, ranks: router.activeCount, ids: ids, weights: weights,
          scores: observer.readsScores ? router.probabilities(scores, step: step) : [],
          predicted: predicted))
    }
    try step.experts.submit(
      ExpertDemand(
        layer: layer, input: x, ids: ids, weights: weights, ranks: router.activeCount, output: out))
    let sharedOutput: Activation?
    do {
      sharedOutput = try shared.map { try computeShared($0, x, step: step) }
      if shared != nil { step.compute.profile?.mark(.sharedExpert) }
    } catch {
      // What was submitted must end before its memory is given back, whatever became of it.
      try? step.experts.wait()
      throw error
    }
    try step.experts.wait()
    if let sharedOutput { step.compute.add(sharedOutput, to: out) }
    step.compute.profile?.mark(.combine)
  }

  /// The shared expert's output. [tokens, hidden]
  private func computeShared(
    _ shared: Shared, _ x: Activation, step: Step
  ) throws -> Activation {
    let y = try step.workspace.take(rows: x.rowCount, columns: x.columnCount)
    try shared.network.forward(x, step: step, into: y)
    if let gate = shared.gate { try weigh(y, by: gate, x: x, step: step) }
    return y
  }

  /// y = σ(x · gate) y, token by token.
  private func weigh(_ y: Activation, by gate: WeightMatrix, x: Activation, step: Step) throws {
    let weight = try step.workspace.take(rows: x.rowCount, columns: 1)
    try step.compute.multiply([MatrixProduct(x, gate, into: weight)])
    step.compute.sigmoid(weight)
    for row in 0..<y.rowCount {
      let factor = weight.row(row)[0]
      let numbers = y.row(row)
      for column in 0..<y.columnCount { numbers[column] *= factor }
    }
  }
}

extension ExpertLayer {
  /// Takes a layer's routed experts from the table in any of the layouts that files have: three
  /// stacks, gate and up fused into one (gate first), or one tensor per expert.
  /// - Throws: `ModelError`.
  init(
    _ table: WeightTable, layer: Int, expertCount: Int, hiddenSize: Int, width: Int,
    hasBiases: Bool = false, activation: GatedActivation = .silu
  ) throws {
    let prefix = "blk.\(layer).ffn_"
    func stack(_ name: String, _ rows: Int, _ columns: Int) throws -> [WeightMatrix] {
      if table.contains("\(prefix)\(name).0.weight") {
        return try (0..<expertCount).map {
          try table.matrix(
            "\(prefix)\(name).\($0).weight", rows: rows, columns: columns, purpose: "routed expert")
        }
      }
      return try table.matrices(
        "\(prefix)\(name)_exps.weight", count: expertCount, rows: rows, columns: columns,
        purpose: "routed experts")
    }
    func biases(_ name: String, _ count: Int) throws -> [FloatVector]? {
      guard hasBiases else { return nil }
      return try table.vectors(
        "\(prefix)\(name)_exps.bias", count: count, outer: expertCount,
        purpose: "routed experts' bias")
    }
    if table.contains("\(prefix)gate_up_exps.weight") {
      let fused = try stack("gate_up", 2 * width, hiddenSize)
      gate = fused.map { $0.rows(0..<width) }
      up = fused.map { $0.rows(width..<(2 * width)) }
    } else {
      gate = try stack("gate", width, hiddenSize)
      up = try stack("up", width, hiddenSize)
    }
    down = try stack("down", hiddenSize, width)
    if hasBiases, table.contains("\(prefix)gate_up_exps.bias") {
      let halves = try table.vectors(
        "\(prefix)gate_up_exps.bias", count: width, outer: 2 * expertCount,
        purpose: "routed experts' bias", stackedAs: [2 * width, expertCount])
      gateBias = (0..<expertCount).map { halves[2 * $0] }
      upBias = (0..<expertCount).map { halves[2 * $0 + 1] }
    } else {
      gateBias = try biases("gate", width)
      upBias = try biases("up", width)
    }
    downBias = try biases("down", hiddenSize)
    self.activation = activation
  }
}
