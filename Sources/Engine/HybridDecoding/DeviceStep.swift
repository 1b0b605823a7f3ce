import CPUCompute
import DeviceCompute
import Devices
import Experts
import HybridExperts
import Models

/// Submits the dense side of steps to a device's stream, layer by layer. It waits for nothing and reads
/// nothing: what it submits runs when the stream comes to it.
final class DeviceStep {
  /// How much memory a step takes at once where it can do with less. No result depends on it.
  struct Limits {
    /// Keys and values of so many heads are expanded at once as fit in this, one head's at least.
    var expansionByteCount = 128 << 20
    /// Rows that one launch quantises: a grid's second side ends at 65,535.
    var quantizedRowCount = 32_768
  }

  let model: DecoderModel
  let operations: DeviceOperations
  let stream: any DeviceStream
  let arena: DeviceArena
  let map: DeviceWeightMap
  let cache: DeviceKeyValueCache
  let exchange: LayerExchange
  /// Whether the stream can wait for what the host writes.
  let waitsForMemory: Bool
  let limits: Limits
  /// Told how far the stream is at each of a step's points.
  private let onPoint: (StepPoint) throws -> Void
  var epsilon: Float { model.hyperparameters.normEpsilon }

  /// Position of the step's first token.
  private(set) var position = 0
  private(set) var phase = Phase.prefill
  private(set) var hidden: DeviceRows
  private(set) var normed: DeviceRows
  private(set) var change: DeviceRows
  private(set) var cosines: DeviceRows
  private(set) var sines: DeviceRows
  /// All tokens, for networks that every token goes through.
  private(set) var groups = DeviceExpertGroups(address: 0, groupCount: 1, mostRows: 0)
  /// Whether `change` is still to be added to the hidden state.
  private var hasChange = false
  private var finalRows: DeviceRows
  private var outputMark = 0

  init(
    _ model: DecoderModel, operations: DeviceOperations, stream: any DeviceStream,
    arena: DeviceArena, map: DeviceWeightMap, cache: DeviceKeyValueCache, exchange: LayerExchange,
    waitsForMemory: Bool, limits: Limits, onPoint: @escaping (StepPoint) throws -> Void
  ) {
    self.model = model
    self.onPoint = onPoint
    self.limits = limits
    self.operations = operations
    self.stream = stream
    self.arena = arena
    self.map = map
    self.cache = cache
    self.exchange = exchange
    self.waitsForMemory = waitsForMemory
    let none = DeviceRows(address: 0, rowCount: 0, columnCount: 0)
    (hidden, normed, change, cosines, sines, finalRows) = (none, none, none, none, none, none)
  }

  var tokenCount: Int { hidden.rowCount }

  /// Begins a step: takes its inputs to the device.
  func begin(
    _ inputs: PinnedSpan, _ layout: StepInputs.Layout, position: Int, phase: Phase
  ) throws {
    self.position = position
    self.phase = phase
    arena.release(to: 0)
    let base = arena.take(byteCount: layout.byteCount)
    let tokens = layout.tokenCount
    hidden = DeviceRows(
      address: base + UInt64(layout.hidden), rowCount: tokens, columnCount: layout.columnCount,
      stride: layout.stride)
    cosines = DeviceRows(
      address: base + UInt64(layout.cosines), rowCount: tokens, columnCount: layout.pairCount)
    sines = DeviceRows(
      address: base + UInt64(layout.sines), rowCount: tokens, columnCount: layout.pairCount)
    groups = DeviceExpertGroups(address: base, groupCount: 1, mostRows: tokens)
    normed = arena.rows(tokens, columns: layout.columnCount)
    change = arena.rows(tokens, columns: layout.columnCount)
    hasChange = false
    try note(.denseBegins)
    try stream.copy(from: inputs, to: base)
  }

  func note(_ point: StepPoint) throws { try onPoint(point) }

  /// x += change, if there is one, then the norm of `rows` into `target`.
  func normalize(weight: UInt64, rows: Range<Int>? = nil, into target: DeviceRows) throws {
    let rows = rows ?? 0..<tokenCount
    try operations.normalize(
      hidden.rows(rows), adding: hasChange ? change.rows(rows) : nil, weight: weight,
      epsilon: epsilon, into: target, on: stream)
    hasChange = false
  }

  /// A layer's attention; its result is the change.
  func submitAttention(_ layer: DeviceLayer, index: Int) throws {
    guard let rows = cache.layers[index] else { preconditionFailure("the layer has no cache") }
    let mark = arena.mark
    defer { arena.release(to: mark) }
    try normalize(weight: layer.attentionNorm, into: normed)
    switch layer.attention {
    case .grouped(let attention): try attend(attention, cache: rows)
    case .latent(let attention): try attend(attention, cache: rows)
    }
    hasChange = true
  }

  /// A dense feed-forward block; its result is the change.
  func submitDense(_ network: DeviceGated, norm: UInt64) throws {
    let mark = arena.mark
    defer { arena.release(to: mark) }
    try normalize(weight: norm, into: normed)
    var inputs = ProductInputs(normed)
    try compute(network, &inputs, into: change)
    hasChange = true
  }

  /// `change` holds something new.
  func markChanged() { hasChange = true }

  /// Brings the hidden state to host memory.
  func submitDownload(to span: PinnedSpan) throws {
    if hasChange { try operations.add(change, to: hidden, on: stream) }
    hasChange = false
    try stream.copy(from: hidden.address, to: span)
    try note(.hostBegins)
  }

  /// Takes the hidden state from host memory.
  func submitUpload(from span: PinnedSpan) throws {
    try note(.denseBegins)
    try stream.copy(from: span, to: hidden.address)
  }

  /// The final norm of the wanted rows.
  func submitFinalNorm(rows: Range<Int>) throws {
    finalRows = normed.rows(0..<rows.count)
    try normalize(weight: map.outputNorm, rows: rows, into: finalRows)
    outputMark = arena.mark
  }

  /// Logits of some of the wanted rows, or the normalised rows themselves where the host computes the
  /// logits, to host memory.
  func submitOutput(rows: Range<Int>, to target: PinnedSpan) throws {
    arena.release(to: outputMark)
    let wanted = finalRows.rows(rows)
    guard let output = map.output else {
      return try stream.copy(from: wanted.address, to: target)
    }
    let logits = arena.rows(rows.count, columns: output.rowCount)
    var inputs = ProductInputs(wanted)
    try product(DeviceProjection(weight: output), &inputs, into: logits)
    try stream.copy(from: logits.address, to: target)
  }

  /// Numbers from row to row of what `submitOutput` writes.
  var outputStride: Int {
    let columns = map.output?.rowCount ?? model.hyperparameters.hiddenSize
    return (columns + 15) / 16 * 16
  }
}

/// Rows that several products read, and their records as far as they are made.
struct ProductInputs {
  let rows: DeviceRows
  private(set) var records: [Int: DeviceRecords]

  init(_ rows: DeviceRows, records: [Int: DeviceRecords] = [:]) {
    self.rows = rows
    self.records = records
  }

  /// The records of a width; made where they are not there yet.
  mutating func records(ofWidth width: Int, _ step: DeviceStep) throws -> DeviceRecords {
    if let known = records[width] { return known }
    // Rows of F32 on cache lines are their own records.
    let plain = DeviceRecords(
      address: rows.address, rowCount: rows.rowCount, columnCount: rows.columnCount, width: 0)
    if width == 0, plain.byteStride == 4 * rows.stride {
      records[0] = plain
      return plain
    }
    let made = step.arena.records(rows.rowCount, columns: rows.columnCount, width: width)
    let most = step.limits.quantizedRowCount
    for first in stride(from: 0, to: rows.rowCount, by: most) {
      let part = first..<min(first + most, rows.rowCount)
      try step.operations.quantize(rows.rows(part), into: made.rows(part), on: step.stream)
    }
    records[width] = made
    return made
  }
}

extension DeviceStep {
  /// y = x Wᵀ + bias
  func product(
    _ projection: DeviceProjection, _ inputs: inout ProductInputs, into y: DeviceRows
  ) throws {
    let x = try inputs.records(ofWidth: projection.weight.activationWidth, self)
    try operations.product(x, projection.weight, bias: projection.bias, into: y, on: stream)
  }

  /// down(silu(gate x) · up x)
  func compute(
    _ network: DeviceGated, _ inputs: inout ProductInputs, into y: DeviceRows
  ) throws {
    let gateX = try inputs.records(ofWidth: network.gate.activationWidth, self)
    let upX = try inputs.records(ofWidth: network.up.activationWidth, self)
    let between = arena.records(
      tokenCount, columns: network.gate.rowCount, width: network.down.activationWidth)
    try operations.gated(
      groups, gate: network.gate, up: network.up, gateX: gateX, upX: upX, rowTokens: 0,
      activation: .silu, into: between, on: stream)
    try operations.down(groups, network.down, x: between, into: y, on: stream)
  }
}
