import DeviceCompute
import Devices
import HybridExperts

extension DeviceStep {
  /// What is left of a MoE layer when the host has served it.
  struct PendingSum {
    let sequence: UInt32
    /// [tokens, hidden]
    let shared: DeviceRows?
    fileprivate let mark: Int
  }

  /// A MoE layer up to where the host's part begins: the norm, the router, what later routers say, and the
  /// word; then the shared expert, which needs nobody.
  func submitRouting(
    _ router: DeviceRouter, shared: DeviceLayer.Shared?, layer: Int, sequence: UInt32
  ) throws -> PendingSum {
    let mark = arena.mark
    try normalize(weight: router.norm, into: normed)
    var known: [Int: DeviceRecords] = [:]
    for (width, part) in exchange.records.sorted(by: { $0.key < $1.key }) {
      let records = DeviceRecords(
        address: part.device.address, rowCount: tokenCount, columnCount: normed.columnCount,
        width: width)
      try operations.quantize(
        normed, into: records, copy: part.host.deviceAddress, on: stream)
      known[width] = records
    }
    var inputs = ProductInputs(normed, records: known)
    let logits = try ask(router, &inputs)
    try operations.route(
      logits, by: router.routing, selectionBias: router.selectionBias,
      into: DeviceRoutes(
        ids: exchange.ids.deviceAddress, weights: exchange.weights.deviceAddress,
        deviceWeights: exchange.deviceWeights.address,
        probabilities: exchange.probabilities.deviceAddress), on: stream)
    try foresee(behind: layer)
    try operations.publish(sequence, to: exchange.routed, on: stream)
    try note(.routed(layer: layer, sequence: sequence))
    let output = try shared.map { try compute($0, &inputs) }
    if output != nil { try note(.sharedComputed) }
    return PendingSum(sequence: sequence, shared: output, mark: mark)
  }

  /// The rest of a MoE layer: the sum of the experts' rows is the change.
  func submitSum(_ pending: PendingSum, ranks: Int) throws {
    if waitsForMemory {
      try stream.wait(for: exchange.cpuDone, atLeast: pending.sequence)
      try stream.wait(for: exchange.gpuDone, atLeast: pending.sequence)
    }
    try note(.served(sequence: pending.sequence))
    try operations.combine(
      deviceRows: DeviceRows(
        address: exchange.deviceRows.address, rowCount: tokenCount * ranks,
        columnCount: exchange.hiddenSize),
      hostRows: exchange.hostRows.deviceAddress, origins: exchange.origins.deviceAddress,
      weights: exchange.deviceWeights.address, ranks: ranks, shared: pending.shared, into: change,
      on: stream)
    markChanged()
    arena.release(to: pending.mark)
  }

  /// A router's logits. [tokens, experts]
  private func ask(_ router: DeviceRouter, _ inputs: inout ProductInputs) throws -> DeviceRows {
    let logits = arena.rows(tokenCount, columns: router.weight.rowCount)
    try product(
      DeviceProjection(weight: router.weight, bias: router.bias), &inputs, into: logits)
    return logits
  }

  /// What the routers of the next MoE layers make of this layer's hidden state, each behind its own norm.
  private func foresee(behind layer: Int) throws {
    guard exchange.asksLaterRouters else { return }
    let later = map.routers.filter { $0.layer > layer }.prefix(exchange.foreseen.count)
    for (target, (_, router)) in zip(exchange.foreseen, later) {
      let mark = arena.mark
      defer { arena.release(to: mark) }
      let other = arena.rows(tokenCount, columns: hidden.columnCount)
      try operations.normalize(
        hidden, weight: router.norm, epsilon: epsilon, into: other, on: stream)
      var inputs = ProductInputs(other)
      let logits = try ask(router, &inputs)
      try operations.foresee(
        logits, by: router.routing, into: target.deviceAddress, on: stream)
    }
  }

  /// The shared expert's output. [tokens, hidden]
  private func compute(
    _ shared: DeviceLayer.Shared, _ inputs: inout ProductInputs
  ) throws -> DeviceRows {
    let y = arena.rows(tokenCount, columns: hidden.columnCount)
    try compute(shared.network, &inputs, into: y)
    if let gate = shared.gate {
      let weight = arena.rows(tokenCount, columns: 1)
      try product(DeviceProjection(weight: gate), &inputs, into: weight)
      try operations.weigh(y, by: weight, on: stream)
    }
    return y
  }
}
