import CPUCompute
import DeviceCompute
@testable import Devices
import EmulatedDevice
import ExpertDirection
import Experts
import HostMemory
import Tensors
import TestSupport

@testable import HybridExperts
@testable import Models

/// A device, an executor, and what a decoder would submit around the experts: quantised hidden states and
/// routing before them, the weighted sum behind them.
final class ServedLayers {
  let experts: MadeExperts
  let device: EmulatedDevice
  let executor: HybridExecutor
  let made: MadeLayers
  private let operations: DeviceOperations
  private let stream: any DeviceStream
  private let inputs: PinnedMemory
  private let outputs: PinnedMemory
  private let states: DeviceMemory
  private let sums: DeviceMemory
  private let capacity: Int
  private(set) var sequence: UInt32
  /// Called when a layer has been served, when the executor's step has ended, and when it was given up.
  var didServe: (() throws -> Void)?
  var didEndStep: (() throws -> Void)?
  var didAbandon: (() throws -> Void)?

  init(
    _ experts: MadeExperts, _ configuration: EmulatedDevice.Configuration, capacity: Int = 12,
    store: PackedStore? = nil, _ adjust: (inout HybridSetup) -> Void = { _ in },
    system: SystemDescription
  ) throws {
    self.experts = experts
    self.capacity = capacity
    device = try EmulatedDevice(configuration)
    let store = try store ?? experts.makeStore()
    made = try experts.make(store: store)
    var setup = HybridSetup(
      device: device, compute: try CPUBackend(threadCount: 1), layers: made.layers, store: store,
      lanes: try experts.costs(), system: system, tokenCapacity: capacity)
    setup.pieceByteCount = 4096
    setup.pinned.stagingByteCount = 4096
    setup.checksPlans = true
    adjust(&setup)
    executor = try HybridExecutor(setup)
    operations = try DeviceOperations(device)
    stream = try device.makeStream(name: "compute")
    let bytes = 4 * capacity * experts.hidden * experts.layerCount
    inputs = try device.allocatePinned(byteCount: bytes, purpose: "hidden states")
    outputs = try device.allocatePinned(byteCount: bytes, purpose: "sums")
    states = try device.allocate(byteCount: bytes, purpose: "hidden states")
    sums = try device.allocate(byteCount: bytes, purpose: "sums")
    // Numbers wrap in every test but those of a modelled clock, which remembers when words were what.
    if case .none = configuration.timing { sequence = .max - 5 } else { sequence = 0 }
    device.write(sequence, to: executor.exchange.routed)
    device.write(sequence, to: executor.exchange.cpuDone)
    device.write(sequence, to: executor.exchange.gpuDone)
  }

  /// A step that somebody gives up between two layers.
  struct Stopped: Error {}

  /// Takes a step through all layers.
  /// - Parameter served: layers after which the step is given up, the next one being under way.
  /// - Returns: the sums of each layer: [layers][tokens × hidden].
  func run(_ step: MadeStep, stoppingAfter served: Int? = nil) throws -> [[Float]] {
    try executor.beginStep(tokenCount: step.tokenCount, phase: step.phase, position: 0)
    do {
      for layer in 0..<experts.layerCount {
        sequence &+= 1
        if layer == 0 { try executor.note(.denseBegins, on: stream) }
        try submitRouting(step, layer)
        if device.configuration.waitsForMemory {
          try stream.wait(for: executor.exchange.cpuDone, atLeast: sequence)
          try stream.wait(for: executor.exchange.gpuDone, atLeast: sequence)
          try submitSum(step, layer)
        }
        if layer == served { throw Stopped() }
        try executor.serve(layer: 2 * layer + 1, sequence: sequence, observer: nil)
        try didServe?()
        if !device.configuration.waitsForMemory {
          if let event = executor.lastGPUEvent { try stream.wait(for: event) }
          try submitSum(step, layer)
        }
      }
      try executor.note(.stepEnds, on: stream)
      try executor.endStep()
      try didEndStep?()
    } catch {
      executor.abandon(through: sequence)
      try didAbandon?()
      try? stream.synchronize()
      throw error
    }
    try stream.synchronize()
    return (0..<experts.layerCount).map { layer in
      let base = (outputs.base + place(layer)).assumingMemoryBound(to: Float.self)
      return Array(
        UnsafeBufferPointer(start: base, count: step.tokenCount * experts.hidden))
    }
  }

  private func place(_ layer: Int) -> Int { 4 * layer * capacity * experts.hidden }

  private func submitRouting(_ step: MadeStep, _ layer: Int) throws {
    let exchange = executor.exchange
    let count = step.tokenCount
    let rowBytes = 4 * count * experts.hidden
    write(step.inputs[layer], to: inputs.base + place(layer))
    write(step.weights[layer], to: exchange.weights.base)
    write(step.scores[layer], to: exchange.probabilities.base)
    write(step.ids[layer], to: exchange.ids.base)
    for distance in 0..<exchange.foreseenLayerCount where layer + 1 + distance < experts.layerCount
    {
      write(step.scores[layer + 1 + distance], to: exchange.foreseen[distance].base)
    }
    try stream.copy(
      from: inputs.span(place(layer), byteCount: rowBytes),
      to: states.address + UInt64(place(layer)))
    let rows = DeviceRows(
      address: states.address + UInt64(place(layer)), rowCount: count,
      columnCount: experts.hidden)
    for (width, records) in exchange.records {
      try operations.quantize(
        rows,
        into: DeviceRecords(
          address: records.device.address, rowCount: count, columnCount: experts.hidden,
          width: width), copy: records.host.deviceAddress, on: stream)
    }
    try stream.copy(
      from: PinnedSpan(
        memory: exchange.weights.memory, offset: exchange.weights.offset,
        byteCount: 4 * count * experts.ranks), to: exchange.deviceWeights.address)
    try operations.publish(sequence, to: exchange.routed, on: stream)
    try executor.note(.routed(layer: 2 * layer + 1, sequence: sequence), on: stream)
  }

  private func submitSum(_ step: MadeStep, _ layer: Int) throws {
    let exchange = executor.exchange
    let count = step.tokenCount
    let sum = sums.address + UInt64(place(layer))
    try executor.note(.served(sequence: sequence), on: stream)
    try operations.combine(
      deviceRows: DeviceRows(
        address: exchange.deviceRows.address, rowCount: count * experts.ranks,
        columnCount: experts.hidden), hostRows: exchange.hostRows.deviceAddress,
      origins: exchange.origins.deviceAddress, weights: exchange.deviceWeights.address,
      ranks: experts.ranks, shared: nil,
      into: DeviceRows(address: sum, rowCount: count, columnCount: experts.hidden), on: stream)
    try stream.copy(
      from: sum, to: outputs.span(place(layer), byteCount: 4 * count * experts.hidden))
  }

  private func write<Number>(_ numbers: [Number], to target: UnsafeMutableRawPointer) {
    numbers.withUnsafeBytes {
      if let base = $0.baseAddress { target.copyMemory(from: base, byteCount: $0.count) }
    }
  }
}

extension MadeExperts {
  /// Costs at which all lanes are worth using.
  /// - Parameter launch: what each launch of the GPU adds.
  func costs(launch: Double = 1) throws -> LaneCostTable {
    let bytes = 2 * packedBytes(gateType, width, hidden) + packedBytes(downType, hidden, width)
    let parameters = 3 * width * hidden
    let model = CostModel(
      cpu: [
        CostModel.defaultElementType: .init(
          firstMicroseconds: 2, bytesPerMicrosecond: Double(bytes) / 9,
          parameterTokensPerMicrosecond: Double(parameters) / 3)
      ],
      gpu: .init(
        launchMicroseconds: launch, expertMicroseconds: 1, bytesPerMicrosecond: Double(bytes),
        kneeTokens: 4, parameterTokensPerMicrosecond: Double(parameters) * 4),
      link: .init(
        latencyMicroseconds: 1, bytesPerMicrosecond: Double(bytes) / 8,
        overlappedBytesPerMicrosecond: Double(bytes) / 10), handshakeMicroseconds: 2)
    let layer = LaneCostTable.Layer(
      footprint: ExpertFootprint(
        hostBytes: bytes, parameters: parameters, elementType: gateType.name),
      attention: .init(fixedMicroseconds: 12))
    return try LaneCostTable(
      model: model, layers: Array(repeating: layer, count: layerCount), expertCount: expertCount,
      activatedCount: ranks, outputMicroseconds: 10)
  }

  private func packedBytes(_ type: ElementType, _ rows: Int, _ columns: Int) -> Int {
    WeightMatrix.packedByteCount(type: type, rowCount: rows, columnCount: columns)
  }

  /// What the processor alone makes of a step: [layers][tokens × hidden].
  func reference(_ step: MadeStep) throws -> [[Float]] {
    let made = try make(store: nil)
    let compute = try CPUBackend(threadCount: 1)
    let executor = CPUExpertExecutor(layers: made.layers, compute: compute)
    let input = try ActivationBuffer(rowCount: step.tokenCount, columnCount: hidden)
    let output = try ActivationBuffer(rowCount: step.tokenCount, columnCount: hidden)
    return try (0..<layerCount).map { layer in
      for (index, value) in step.inputs[layer].enumerated() { input.activation.base[index] = value }
      try executor.submit(
        ExpertDemand(
          layer: 2 * layer + 1, input: input.activation, ids: step.ids[layer],
          weights: step.weights[layer], ranks: ranks, output: output.activation))
      try executor.wait()
      return (0..<step.tokenCount).flatMap { output.activation.values(ofRow: $0) }
    }
  }
}

/// The bit patterns of all layers' numbers.
func bits(_ layers: [[Float]]) -> [[UInt32]] { layers.map { $0.map(\.bitPattern) } }
