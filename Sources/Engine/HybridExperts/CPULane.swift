import CPUCompute
import Devices
import Models

/// The CPU's part of a layer: from the records that the device wrote into mapped memory to rows in mapped
/// memory, so that nothing is copied on either way.
final class CPULane {
  private let compute: CPUBackend
  private let exchange: LayerExchange
  private let workspace = Workspace()

  init(_ exchange: LayerExchange, compute: CPUBackend) {
    self.exchange = exchange
    self.compute = compute
  }

  /// Computes experts of a layer in the given order.
  /// - Throws: `HostMemoryError.cannotAllocate`.
  func run(
    _ experts: [Int], of layer: ExpertLayer, groups: RowGroups, tokenCount: Int
  ) throws {
    guard let first = experts.first else { return }
    let mark = workspace.mark
    defer { workspace.release(to: mark) }
    let columns = exchange.hiddenSize
    let gateX = try records(layer.gate[first], rowCount: tokenCount)
    let upX = try records(layer.up[first], rowCount: tokenCount)
    let hidden = try workspace.takeRecords(
      rows: groups.tokens.count, columns: layer.width, width: layer.down[first].activationWidth)
    let rows = Activation(
      base: exchange.hostRows.base.assumingMemoryBound(to: Float.self),
      rowCount: groups.tokens.count, columnCount: columns, stride: columns)
    try compute.multiplyGated(
      experts.map { expert in
        let range = groups.rows[expert]
        return GatedProduct(
          gateX: gateX, upX: upX, rows: groups.tokens[range], gate: layer.gate[expert],
          up: layer.up[expert],
          gateBias: layer.gateBias?[expert].base, upBias: layer.upBias?[expert].base,
          activation: layer.activation, into: hidden.rows(range))
      })
    compute.profile?.mark(.expertGateUp)
    try compute.multiply(
      experts.map { expert in
        let range = groups.rows[expert]
        return MatrixProduct(
          hidden.rows(range), layer.down[expert], bias: layer.downBias?[expert].base,
          into: rows.rows(range))
      })
    compute.profile?.mark(.expertDown)
  }

  private func records(_ weights: WeightMatrix, rowCount: Int) throws(HybridError) -> RowRecords {
    let width = weights.activationWidth
    guard let span = exchange.records[width]?.host else {
      throw .wrongStep(reason: "nobody quantises hidden states to blocks of \(width)")
    }
    return RowRecords(
      base: span.base, rowCount: rowCount, columnCount: exchange.hiddenSize, width: width)
  }
}
