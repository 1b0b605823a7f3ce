import CPUCompute
import Devices
import Experts
import HybridDecoding
import HybridExperts
import Models

/// Serves MoE layers as plainly as it can be done: every expert on the processor, from the records that the
/// device wrote, pair by pair; half of the rows, if asked, by way of device memory.
final class HostServing: LayerServing {
  enum Failure: Error, Equatable { case asked(layer: Int) }

  let exchange: LayerExchange
  private let device: any Device
  private let compute: CPUBackend
  private let model: DecoderModel
  private let stream: any DeviceStream
  private let event: any DeviceEvent
  private let staging: PinnedMemory
  private let workspace = Workspace()
  private var tokenCount = 0
  /// Odd pairs' rows come from device memory, as if the GPU had computed them.
  var usesDeviceRows = false
  /// Where serving fails.
  var failingLayer: Int?
  private(set) var abandoned: [UInt32] = []
  private(set) var served: [Int] = []
  private(set) var steps: [(tokens: Int, phase: Phase, position: Int)] = []

  init(
    _ setup: SequenceSetup, device: any Device, placement: DensePlacement = DensePlacement()
  ) throws {
    model = setup.model
    compute = setup.compute
    self.device = device
    exchange = try LayerExchange(
      device: device, model: model, placement: placement, tokenCapacity: setup.chunkTokenCount)
    stream = try device.makeStream(name: "experts")
    event = try device.makeEvent()
    staging = try device.allocatePinned(
      byteCount: 2 * exchange.hostRows.byteCount, purpose: "rows of the test")
  }

  var lastGPUEvent: (any DeviceEvent)? { event }

  let wantsPredictions = true

  func beginStep(tokenCount: Int, phase: Phase, position: Int) throws {
    self.tokenCount = tokenCount
    steps.append((tokenCount, phase, position))
  }

  func serve(layer: Int, sequence: UInt32, observer: (any StepObserver)?) throws {
    try device.wait(for: exchange.routed, atLeast: sequence) {}
    served.append(layer)
    if failingLayer == layer { throw Failure.asked(layer: layer) }
    guard let experts = model.expertLayers[layer] else { preconditionFailure("no MoE layer") }
    tell(observer, layer)
    let pairs = tokenCount * exchange.ranks
    let ids = exchange.ids.numbers(Int32.self, pairs)
    let origins = exchange.origins.base.assumingMemoryBound(to: UInt32.self)
    let hidden = exchange.hiddenSize
    // Two layers' rows in turns: when a layer is routed, those of the layer before the last are copied.
    let own = staging.span(
      served.count % 2 * exchange.hostRows.byteCount, byteCount: 4 * pairs * hidden)
    func row(_ base: UnsafeMutableRawPointer, _ pair: Int) -> Activation {
      Activation(
        base: base.assumingMemoryBound(to: Float.self) + pair * hidden, rowCount: 1,
        columnCount: hidden, stride: hidden)
    }
    func compute(_ lane: Int, into base: UnsafeMutableRawPointer) throws {
      for pair in 0..<pairs where laneOf(pair) == lane {
        try self.compute(
          experts, Int(ids[pair]), token: pair / exchange.ranks, into: row(base, pair))
      }
    }
    for pair in 0..<pairs { origins[pair] = UInt32(pair) | (laneOf(pair) == 1 ? 0 : 1 << 31) }
    if usesDeviceRows {
      try compute(1, into: own.base)
      try stream.copy(from: own, to: exchange.deviceRows.address)
    }
    try stream.record(event)
    let waits = device.properties.waitsForMemory
    if waits { try stream.write(sequence, to: exchange.gpuDone) }
    // The device goes on while the processor computes.
    _ = try event.isDone()
    try compute(0, into: exchange.hostRows.base)
    if waits { device.write(sequence, to: exchange.cpuDone) }
  }

  /// 1 for pairs whose rows come by way of the device.
  private func laneOf(_ pair: Int) -> Int { usesDeviceRows ? pair % 2 : 0 }

  /// One token through one expert.
  private func compute(
    _ layer: ExpertLayer, _ expert: Int, token: Int, into row: Activation
  ) throws {
    let mark = workspace.mark
    defer { workspace.release(to: mark) }
    func records(_ weights: WeightMatrix) throws -> RowRecords {
      guard let span = exchange.records[weights.activationWidth]?.host else {
        preconditionFailure("the exchange has no such records")
      }
      return RowRecords(
        base: span.base, rowCount: tokenCount, columnCount: exchange.hiddenSize,
        width: weights.activationWidth
      ).rows(token..<token + 1)
    }
    let between = try workspace.takeRecords(
      rows: 1, columns: layer.width, width: layer.down[expert].activationWidth)
    try compute.multiplyGated([
      GatedProduct(
        gateX: try records(layer.gate[expert]), upX: try records(layer.up[expert]),
        gate: layer.gate[expert],
        up: layer.up[expert], gateBias: layer.gateBias?[expert].base,
        upBias: layer.upBias?[expert].base, activation: layer.activation, into: between)
    ])
    try compute.multiply([
      MatrixProduct(
        between, layer.down[expert], bias: layer.downBias?[expert].base, into: row)
    ])
  }

  private func tell(_ observer: (any StepObserver)?, _ layer: Int) {
    guard let observer else { return }
    let pairs = tokenCount * exchange.ranks
    let scores = tokenCount * exchange.expertCount
    let later = model.expertLayers.keys.filter { $0 > layer }.sorted()
    observer.didRoute(
      LayerRouting(
        layer: layer, ranks: exchange.ranks, ids: exchange.ids.numbers(Int32.self, pairs),
        weights: exchange.weights.numbers(Float.self, pairs),
        scores: observer.readsScores ? exchange.probabilities.numbers(Float.self, scores) : [],
        predicted: observer.readsScores
          ? zip(later, exchange.foreseen).map { ($0, $1.numbers(Float.self, scores)) } : []))
  }

  func endStep() throws {}
  func note(_ point: StepPoint, on stream: any DeviceStream) {}

  func abandon(through sequence: UInt32) {
    abandoned.append(sequence)
    device.write(sequence, to: exchange.cpuDone)
    // Behind what the stream has still to write.
    let isSubmitted =
      device.properties.waitsForMemory
      && (try? stream.write(sequence, to: exchange.gpuDone)) != nil
    if !isSubmitted { device.write(sequence, to: exchange.gpuDone) }
  }
}

extension PinnedSpan {
  /// A copy of the first numbers.
  func numbers<Number>(_ type: Number.Type, _ count: Int) -> [Number] {
    Array(UnsafeBufferPointer(start: base.assumingMemoryBound(to: type), count: count))
  }
}
