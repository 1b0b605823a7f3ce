import CPUCompute
import DeviceCompute
import Devices
import Experts
import Models

/// One layer's experts on each lane alone, as warm-up times them.
///
/// The GPU reads slots of unspecified content: no time depends on the numbers.
final class LaneBench {
  let layer: ExpertLayer
  let footprint: ExpertFootprint
  private let number: Int
  private let mostTokens: Int
  private let exchange: LayerExchange
  private let slots: DeviceMemory
  private let slotByteCount: Int
  private let slotCount: Int
  private let cpu: CPULane
  private let gpu: GPULane
  private let marks: EventPool
  private let upload: any DeviceStream
  private let source: PinnedMemory
  private var groups = RowGroups()

  var expertCount: Int { layer.gate.count }

  /// - Throws: `DeviceError`, `HybridError`, `HostMemoryError`.
  init(
    _ device: any Device, compute: CPUBackend, layer: ExpertLayer, number: Int,
    footprint: ExpertFootprint, mostTokens: Int
  ) throws {
    self.layer = layer
    self.number = number
    self.footprint = footprint
    self.mostTokens = mostTokens
    marks = EventPool(device)
    let source = try PinnedSource(
      device, store: nil, marks: marks, budget: PinnedBudget(byteCount: 0),
      largestTile: HostExperts.largestTile([layer]))
    let experts = try HostExperts(
      layers: [layer], numbers: [number], compute: compute, source: source)
    exchange = try LayerExchange(
      device: device, tokenCapacity: mostTokens, ranks: min(8, layer.gate.count),
      expertCount: layer.gate.count, hiddenSize: layer.down[0].rowCount,
      widths: experts.recordWidths, foreseenLayerCount: 0)
    for (_, records) in exchange.records {
      // Numbers, not whatever lay there: a denormal would be a slow one.
      records.host.base.initializeMemory(
        as: UInt8.self, repeating: 0, count: records.host.byteCount)
    }
    slotByteCount = experts.largestByteCount
    slotCount = min(8, layer.gate.count)
    slots = try device.allocate(byteCount: slotCount * slotByteCount, purpose: "warm-up")
    cpu = CPULane(exchange, compute: compute)
    gpu = try GPULane(device, experts: experts, exchange: exchange)
    upload = try device.makeStream(name: "upload")
    self.source = try device.allocatePinned(byteCount: 1 << 20, purpose: "warm-up")
  }

  /// Experts of a smaller size, with the fewest rows between the projections that kernels take; nil where
  /// these have as few.
  func smaller(_ device: any Device, compute: CPUBackend) throws -> LaneBench? {
    let step = layer.down[0].activationWidth == 256 ? 256 : 32
    let width = max(step, layer.width / 4 / step * step)
    guard width < layer.width else { return nil }
    let down = layer.down.compactMap {
      WeightMatrix(
        base: $0.base, type: $0.type, rowCount: $0.rowCount, columnCount: width)
    }
    guard down.count == layer.down.count else { return nil }
    let small = ExpertLayer(
      gate: layer.gate.map { $0.rows(0..<width) }, up: layer.up.map { $0.rows(0..<width) },
      down: down, gateBias: layer.gateBias, upBias: layer.upBias, downBias: layer.downBias,
      activation: layer.activation)
    var footprint = footprint
    let share = Double(width) / Double(layer.width)
    footprint.hostBytes = Int(Double(footprint.hostBytes) * share)
    footprint.linkBytes = Int(Double(footprint.linkBytes) * share)
    footprint.parameters = Int(Double(footprint.parameters) * share)
    return try LaneBench(
      device, compute: compute, layer: small, number: number, footprint: footprint,
      mostTokens: mostTokens)
  }

  /// Microseconds for some experts with so many tokens each.
  func onCPU(_ experts: [Int], load: Int, _ clock: any DeviceClock) throws -> Double {
    route(experts, load)
    // The first use packs; that is not what is measured.
    for expert in experts {
      for matrix in [layer.gate[expert], layer.up[expert], layer.down[expert]] {
        if matrix.packedTiles == nil {
          try cpu.run([expert], of: layer, groups: groups, tokenCount: load)
        }
      }
    }
    let start = clock.now
    try cpu.run(experts, of: layer, groups: groups, tokenCount: load)
    return max(clock.now - start, 0.001)
  }

  /// The same on the GPU, in one launch for each half.
  func onGPU(_ experts: [Int], load: Int) throws -> Double {
    route(experts, load)
    gpu.begin(groups, tokenCount: load)
    let begin = try marks.mark(gpu.stream)
    try gpu.launch(
      layer: 0,
      experts.enumerated().map { place, expert in
        (
          expert, slots.address + UInt64(place % slotCount * slotByteCount), groups.rows[expert]
        )
      })
    let end = try marks.mark(gpu.stream)
    try end.event.synchronize()
    guard let first = try begin.event.time(), let last = try end.event.time() else {
      throw DeviceError.refused(operation: "timing a launch", reason: "the device gives no time")
    }
    return max(last - first, 0.001)
  }

  /// Keeps the link busy for about so long.
  func beginCopies(microseconds: Double) throws {
    // At 32 GB/s, faster than links to graphics cards of today.
    let pieces = min(400, Int(microseconds * 32_000 / Double(source.byteCount)) + 1)
    let count = min(source.byteCount, slots.byteCount)
    for _ in 0..<pieces {
      try upload.copy(from: source.span(0, byteCount: count), to: slots.address)
    }
  }

  func endCopies() throws { try upload.synchronize() }

  // Every token goes to all the experts.
  private func route(_ experts: [Int], _ load: Int) {
    let ids = (0..<load).flatMap { _ in experts }
    groups.take(ids, ranks: experts.count, expertCount: expertCount)
  }
}
