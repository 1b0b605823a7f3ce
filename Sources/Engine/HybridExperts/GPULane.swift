import CGPUKernels
import CPUCompute
import DeviceCompute
import Devices
import Models

/// The GPU's part of a layer: launches over groups of experts whose weights lie in slots.
///
/// The tables of a layer lie in mapped memory and are written anew for each: a layer's router runs only
/// when all launches of the layer before have ended.
final class GPULane {
  let stream: any DeviceStream
  private let operations: DeviceOperations
  private let layers: [ExpertLayer]
  private let layouts: [ExpertSlotLayout]
  private let exchange: LayerExchange
  private let biases: [Biases?]
  private let groups: PinnedSpan
  private let rowTokens: PinnedSpan
  /// Records between the two halves, for the layer that needs most.
  private let hidden: DeviceMemory
  private var groupCount = 0
  private var rowCount = 0
  private var tokenCount = 0

  /// Biases of a layer's experts, [experts, rows] each.
  private struct Biases {
    var memory: DeviceMemory
    var gate: UInt64 = 0
    var up: UInt64 = 0
    var down: UInt64 = 0
  }

  /// - Throws: `DeviceError`.
  init(
    _ device: any Device, experts: HostExperts, exchange: LayerExchange
  ) throws(DeviceError) {
    stream = try device.makeStream(name: "experts")
    operations = try DeviceOperations(device)
    layers = experts.layers
    layouts = experts.layouts
    self.exchange = exchange
    let pairs = exchange.tokenCapacity * exchange.ranks
    let groupBytes = exchange.expertCount * MemoryLayout<gpu_expert_group>.stride
    let tables = try device.allocatePinned(
      byteCount: groupBytes + 4 * pairs, purpose: "tables of expert groups")
    groups = tables.span(0, byteCount: groupBytes)
    rowTokens = tables.span(groupBytes, byteCount: 4 * pairs)
    let most = Self.betweenByteCount(layouts, pairCount: pairs)
    hidden = try device.allocate(byteCount: most, purpose: "records between experts' halves")
    var biases: [Biases?] = []
    for layer in layers { biases.append(try Self.upload(layer, device, stream)) }
    self.biases = biases
  }

  private static func upload(
    _ layer: ExpertLayer, _ device: any Device, _ stream: any DeviceStream
  ) throws(DeviceError) -> Biases? {
    let parts = [layer.gateBias, layer.upBias, layer.downBias]
    guard parts.contains(where: { $0 != nil }) else { return nil }
    var numbers: [Float] = []
    var starts: [Int?] = []
    for part in parts {
      starts.append(part == nil ? nil : numbers.count)
      for vector in part ?? [] { for index in 0..<vector.count { numbers.append(vector[index]) } }
    }
    let memory = try device.allocate(byteCount: 4 * numbers.count, purpose: "experts' biases")
    var failure: DeviceError?
    numbers.withUnsafeBytes { bytes in
      do throws(DeviceError) {
        try stream.copyPageable(from: bytes, to: memory.address)
        // Both ends may go soon: the numbers here, and the memory where something later cannot be made.
        try stream.synchronize()
      } catch { failure = error }
    }
    if let failure { throw failure }
    func address(_ part: Int) -> UInt64 {
      starts[part].map { memory.address + UInt64(4 * $0) } ?? 0
    }
    return Biases(memory: memory, gate: address(0), up: address(1), down: address(2))
  }

  /// Begins a layer: which rows there are, and which token each reads.
  func begin(_ rows: RowGroups, tokenCount: Int) {
    groupCount = 0
    rowCount = rows.tokens.count
    self.tokenCount = tokenCount
    let table = rowTokens.base.assumingMemoryBound(to: Int32.self)
    for (row, token) in rows.tokens.enumerated() { table[row] = token }
  }

  /// Submits the computation of experts in one launch for each half.
  /// - Parameters:
  ///   - layer: the MoE layer.
  ///   - experts: with the slots' addresses and the rows of each.
  /// - Throws: `DeviceError`.
  func launch(
    layer: Int, _ experts: [(expert: Int, slot: UInt64, rows: Range<Int>)]
  ) throws(DeviceError) {
    guard !experts.isEmpty else { return }
    let first = groupCount
    let table = groups.base.assumingMemoryBound(to: gpu_expert_group.self)
    var mostRows = 0
    for (expert, slot, rows) in experts {
      table[groupCount] = gpu_expert_group(
        slot: slot, expert: UInt32(expert), first: UInt32(rows.lowerBound),
        count: UInt32(rows.count), reserved: 0)
      groupCount += 1
      mostRows = max(mostRows, rows.count)
    }
    let launched = DeviceExpertGroups(
      address: groups.deviceAddress + UInt64(first * MemoryLayout<gpu_expert_group>.stride),
      groupCount: experts.count, mostRows: mostRows)
    let layout = layouts[layer]
    let bias = biases[layer]
    let between = DeviceRecords(
      address: hidden.address, rowCount: rowCount, columnCount: layout.gate.rowCount,
      width: layout.down.activationWidth)
    try operations.gated(
      launched, gate: layout.gate, up: layout.up, gateBias: bias?.gate ?? 0,
      upBias: bias?.up ?? 0, gateX: input(layout.gate), upX: input(layout.up),
      rowTokens: rowTokens.deviceAddress, activation: layers[layer].activation, into: between,
      on: stream)
    try operations.down(
      launched, layout.down, bias: bias?.down ?? 0, x: between,
      into: DeviceRows(
        address: exchange.deviceRows.address, rowCount: rowCount,
        columnCount: exchange.hiddenSize), on: stream)
  }

  private func input(_ weights: DeviceMatrix) -> DeviceRecords {
    guard let records = exchange.records[weights.activationWidth] else {
      preconditionFailure("the exchange is made for the widths that the experts read")
    }
    return DeviceRecords(
      address: records.device.address, rowCount: tokenCount, columnCount: exchange.hiddenSize,
      width: weights.activationWidth)
  }
}
