import CPUCompute
import DeviceCompute
import Devices
import Experts
import HybridExperts
import Models

/// A sequence whose dense side a device computes and whose experts are served from wherever they are.
///
/// A step is submitted some layers ahead of the host: the device's stream waits for the host's word in
/// each MoE layer instead of the host waiting for the stream, so that what follows begins at once. Logits
/// have the bits of `CPUSequenceBackend`, whatever is computed where.
///
/// Not for use by two threads at once.
public final class HybridDecoder: SequenceBackend {
  /// How much of the model is on the device.
  public let footprint: DeviceFootprint
  /// Why the copies of the dense weights were not pinned, if they were not.
  public var pinningRefusal: DeviceError? { weights.pinningRefusal }

  private let model: DecoderModel
  private let compute: CPUBackend
  private let device: any Device
  private let serving: any LayerServing
  private let weights: DeviceWeights
  private let workspace: DeviceMemory
  private let step: DeviceStep
  private let inputs: StepInputs
  /// Says that the step's inputs are on the device, or back on the host.
  private let moved: any DeviceEvent
  private let output: OutputRows
  private let hostLayers: HostLayers?
  private let parts: [DecoderPart]
  private let partsAhead: Int
  private let tokenCapacity: Int
  /// The number of the last MoE layer that was submitted, counted over the run.
  var sequence: UInt32 = 0

  /// - Parameters:
  ///   - serving: serves the MoE layers that are not on the host; its exchange is for this model.
  ///   - placement: what stays on the processor.
  /// - Throws: `DeviceError`, `HostMemoryError`, `HybridDecodingError`.
  public convenience init(
    _ setup: SequenceSetup, device: any Device, serving: any LayerServing,
    placement: DensePlacement = DensePlacement()
  ) throws {
    try self.init(
      setup, device: device, serving: serving, placement: placement, limits: DeviceStep.Limits())
  }

  init(
    _ setup: SequenceSetup, device: any Device, serving: any LayerServing,
    placement: DensePlacement, limits: DeviceStep.Limits
  ) throws {
    let model = setup.model
    try Self.requireSupported(model, placement)
    try Self.requireFitting(serving.exchange, setup)
    let trial = try TrialRun(
      model, placement, contextLength: setup.contextLength, keyValueType: setup.keyValueType,
      chunkTokenCount: setup.chunkTokenCount, limits: limits)
    self.model = model
    self.device = device
    self.serving = serving
    compute = setup.compute
    tokenCapacity = setup.chunkTokenCount
    footprint = trial.footprint
    parts = model.parts(placement)
    partsAhead = device.properties.waitsForMemory ? trial.partsAhead : 0
    let stream = try device.makeStream(name: "compute")
    weights = try DeviceWeights(
      model, placement, device: device, stream: stream, compute: setup.compute)
    let cache = try DeviceKeyValueCache(
      model, placement, type: setup.keyValueType, capacity: setup.contextLength, device: device)
    workspace = try device.allocate(
      byteCount: trial.footprint.workspaceByteCount, purpose: "activations")
    step = DeviceStep(
      model, operations: try DeviceOperations(device), stream: stream,
      arena: DeviceArena(
        base: workspace.address, byteCount: trial.footprint.workspaceByteCount),
      map: weights.map, cache: cache, exchange: serving.exchange,
      waitsForMemory: device.properties.waitsForMemory, limits: limits,
      onPoint: { try serving.note($0, on: stream) })
    // A step that is given up sums rows by whatever the table holds: that must never lead out of the rows.
    let origins = serving.exchange.origins
    origins.base.initializeMemory(as: UInt8.self, repeating: 0, count: origins.byteCount)
    inputs = try StepInputs(model, tokenCapacity: tokenCapacity, device: device)
    moved = try device.makeEvent()
    output = try OutputRows(
      step, compute: setup.compute, tokenCapacity: tokenCapacity, device: device)
    hostLayers =
      placement.hostLayers.isEmpty ? nil : try HostLayers(setup, layers: placement.hostLayers)
  }

  deinit {
    // Logits that nobody read, and states, may still be on their way.
    try? device.synchronize()
  }

  public func forward(
    _ tokens: [Int], rows: Range<Int>, position: Int, phase: Phase,
    observer: (any StepObserver)?, checkpoint: () throws -> Void
  ) throws {
    precondition(tokens.count <= tokenCapacity)
    output.forget()
    // The inputs of the step before may still be on their way.
    try moved.synchronize()
    inputs.fill(tokens, model: model, position: position, compute: compute)
    let layout = inputs.layout(tokenCount: tokens.count)
    do {
      try serving.beginStep(tokenCount: tokens.count, phase: phase, position: position)
      serving.exchange.asksLaterRouters =
        serving.wantsPredictions || observer?.readsScores == true
      try step.begin(inputs.span(layout), layout, position: position, phase: phase)
      try step.stream.record(moved)
      try run(layout, observer: observer, checkpoint: checkpoint)
      if !rows.isEmpty { try output.begin(rows) }
      try step.note(.stepEnds)
      try serving.endStep()
    } catch {
      // Streams that wait for words get them, and end: what they compute then is not used.
      serving.abandon(through: sequence)
      output.forget()
      try? device.synchronize()
      throw error
    }
  }

  public func withLogits(
    ofRows rows: Range<Int>, _ body: (Int, UnsafeBufferPointer<Float>) throws -> Void
  ) throws {
    try output.withLogits(ofRows: rows, body)
  }

  /// Submits parts, at most `partsAhead` beyond the one that the host is at, and does the host's work.
  private func run(
    _ layout: StepInputs.Layout, observer: (any StepObserver)?, checkpoint: () throws -> Void
  ) throws {
    var next = 0
    var pending = [DeviceStep.PendingSum?](repeating: nil, count: parts.count)
    for (index, part) in parts.enumerated() {
      while next < parts.count, next <= index + partsAhead,
        next == index || !needsHost(parts[next - 1])
      {
        pending[next] = try submit(parts[next], layout)
        next += 1
      }
      try checkpoint()
      switch part {
      case .dense: break
      case .host(let layers):
        try moved.synchronize()
        try hostLayers?.run(
          layers, inputs.hidden(layout), angles: inputs.hostAngles, position: step.position,
          phase: step.phase, observer: observer, checkpoint: checkpoint)
        try step.submitUpload(from: inputs.hiddenSpan(layout))
        try step.stream.record(moved)
      case .experts(let layer):
        guard let sum = pending[index] else { preconditionFailure("the layer was submitted") }
        try serving.serve(layer: layer, sequence: sum.sequence, observer: observer)
        guard !step.waitsForMemory else { continue }
        if let event = serving.lastGPUEvent { try step.stream.wait(for: event) }
        try step.submitSum(sum, ranks: serving.exchange.ranks)
      }
    }
  }

  /// Whether nothing behind a part can be submitted before the host has done its share of it.
  private func needsHost(_ part: DecoderPart) -> Bool {
    switch part {
    case .dense: false
    case .experts: !step.waitsForMemory
    case .host: true
    }
  }

  private func submit(
    _ part: DecoderPart, _ layout: StepInputs.Layout
  ) throws -> DeviceStep.PendingSum? {
    switch part {
    case .dense, .experts:
      return try step.submit(part) {
        sequence &+= 1
        return sequence
      }
    case .host(let layers):
      // What the first layer reads is still here.
      guard layers.lowerBound > 0 else {
        try step.note(.hostBegins)
        return nil
      }
      try step.submitDownload(to: inputs.hiddenSpan(layout))
      try step.stream.record(moved)
      return nil
    }
  }
}

extension DeviceStep {
  /// Submits a layer of the device; of a MoE layer all that can be submitted before the host has served it.
  /// - Parameter nextSequence: the MoE layer's number in the run.
  /// - Returns: nil where nothing is left to do.
  func submit(_ part: DecoderPart, nextSequence: () -> UInt32) throws -> PendingSum? {
    let index: Int
    switch part {
    case .dense(let layer), .experts(let layer): index = layer
    case .host: preconditionFailure("the host computes it")
    }
    guard let layer = map.layers[index] else { preconditionFailure("the host computes it") }
    try submitAttention(layer, index: index)
    switch layer.feedForward {
    case .dense(let network, let norm):
      try submitDense(network, norm: norm)
      return nil
    case .experts(let router, let shared):
      let pending = try submitRouting(
        router, shared: shared, layer: index, sequence: nextSequence())
      if waitsForMemory { try submitSum(pending, ranks: exchange.ranks) }
      return pending
    }
  }
}
