import DeviceCompute
import Devices
import Experts
import HybridExperts
import Models

/// What a device does in one step beside routed experts, by how long the pieces take: what an expectation of
/// speed is made of before anything has run.
public struct StepTimes: Sendable, Equatable {
  /// A MoE layer on the device.
  public struct Layer: Sendable, Equatable {
    /// Up to the moment at which the host knows the routing.
    public var beforeRouting = 0.0
    /// From there on, beside the routed experts: the shared ones.
    public var shared = 0.0
    /// Behind the last expert.
    public var afterExperts = 0.0
  }

  /// By layer number of the file; layers without experts and those of the processor are not there.
  public var layers: [Int: Layer] = [:]
  /// All else: the step's inputs, layers without experts, the output head, and the logits' way to the host.
  public var others = 0.0
}

/// Something that a stream is given to do and that takes time.
public enum SubmittedWork {
  /// With the kernel's struct.
  case launch(kernel: String, arguments: UnsafeRawBufferPointer)
  case upload(byteCount: Int)
  case download(byteCount: Int)
  case onDevice(byteCount: Int)
}

extension HybridDecoder {
  /// The times of the dense side of a step, by submitting one to a device that only adds up.
  /// - Parameters:
  ///   - tokenCount: tokens of the step; the last one's logits are wanted.
  ///   - position: of the step's first token.
  ///   - asksLaterRouters: whether somebody wants to know what later layers will probably activate.
  ///   - microseconds: what a piece of work takes.
  /// - Throws: `HybridDecodingError`, `ModelError` for models that a device cannot decode.
  public static func stepTimes(
    _ model: DecoderModel, _ placement: DensePlacement, contextLength: Int,
    keyValueType: KeyValueType, tokenCount: Int, position: Int, phase: Phase,
    asksLaterRouters: Bool = true, microseconds: @escaping (SubmittedWork) -> Double
  ) throws -> StepTimes {
    try requireSupported(model, placement)
    let device = SilentDevice()
    let stream = AddingStream(microseconds)
    var placer = WeightPlacer(base: 0)
    let map = try DeviceWeightMap(model, placement, &placer)
    let cache = try DeviceKeyValueCache(
      model, placement, type: keyValueType, capacity: contextLength, device: device)
    let exchange = try LayerExchange(
      device: device, model: model, placement: placement, tokenCapacity: tokenCount)
    exchange.asksLaterRouters = asksLaterRouters
    let step = DeviceStep(
      model, operations: try DeviceOperations(device), stream: stream,
      arena: DeviceArena(base: 1 << 40, byteCount: .max / 2), map: map, cache: cache,
      exchange: exchange, waitsForMemory: true, limits: DeviceStep.Limits(), onPoint: { _ in })
    let inputs = try StepInputs(model, tokenCapacity: tokenCount, device: device)
    let layout = inputs.layout(tokenCount: tokenCount)
    var times = StepTimes()
    try step.begin(inputs.span(layout), layout, position: position, phase: phase)
    for part in model.parts(placement) {
      switch part {
      case .host:
        try step.submitDownload(to: inputs.hiddenSpan(layout))
        try step.submitUpload(from: inputs.hiddenSpan(layout))
      case .dense: _ = try step.submit(part) { 0 }
      case .experts(let layer):
        times.others += stream.taken().reduce(0, +)
        _ = try step.submit(part) { 0 }
        let taken = stream.taken()
        times.layers[layer] = .init(
          beforeRouting: taken[0], shared: taken[1], afterExperts: taken[2])
      }
    }
    try step.submitFinalNorm(rows: tokenCount - 1..<tokenCount)
    let target = try device.pin(exchange.ids.base, byteCount: 4 * step.outputStride)
    try step.submitOutput(rows: 0..<1, to: target.span(0, byteCount: target.byteCount))
    times.others += stream.taken().reduce(0, +)
    return times
  }
}

/// Adds up what submitted work takes: up to the word that a routing is there, from there to the wait for
/// the experts, and behind it.
// Safety: used by one thread.
private final class AddingStream: DeviceStream, @unchecked Sendable {
  private let microseconds: (SubmittedWork) -> Double
  private var sums = [0.0, 0.0, 0.0]
  private var place = 0

  init(_ microseconds: @escaping (SubmittedWork) -> Double) { self.microseconds = microseconds }

  /// The sums since the last call.
  func taken() -> [Double] {
    defer { (sums, place) = ([0, 0, 0], 0) }
    return sums
  }

  private func add(_ work: SubmittedWork) { sums[place] += microseconds(work) }

  func copy(from source: PinnedSpan, to target: UInt64) {
    add(.upload(byteCount: source.byteCount))
  }
  func copy(from source: UInt64, to target: PinnedSpan) {
    add(.download(byteCount: target.byteCount))
  }
  func copy(from source: UInt64, to target: UInt64, byteCount: Int) {
    add(.onDevice(byteCount: byteCount))
  }
  func copyPageable(from source: UnsafeRawBufferPointer, to target: UInt64) {
    add(.upload(byteCount: source.count))
  }
  func clear(_ target: UInt64, byteCount: Int) { add(.onDevice(byteCount: byteCount)) }
  func launch(
    _ kernel: DeviceKernel, grid: LaunchSize, block: LaunchSize, sharedByteCount: Int,
    arguments: UnsafeRawBufferPointer
  ) {
    add(.launch(kernel: kernel.name, arguments: arguments))
    if kernel.name == "publish" { place = 1 }
  }
  func record(_ event: any DeviceEvent) {}
  func wait(for event: any DeviceEvent) {}
  func wait(for word: PinnedWord, atLeast value: UInt32) { place = 2 }
  func write(_ value: UInt32, to word: PinnedWord) {}
  func synchronize() {}
}
