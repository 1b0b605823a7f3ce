import CPUCompute
import Devices
import EmulatedDevice
import Experts
import GGUF
import HostMemory
import HybridExperts
import Models
import TestSupport

@testable import HybridDecoding

/// A small model with a decoder on an emulated device beside the processor's own.
struct World {
  let model: DecoderModel
  let device: EmulatedDevice
  let serving: HostServing
  let decoder: HybridDecoder
  let expected: CPUSequenceBackend
  let chunk: Int

  init(
    _ name: String, type: KeyValueType = .f16, chunk: Int = 4, contextLength: Int = 64,
    placement: DensePlacement = DensePlacement(), limits: DeviceStep.Limits = DeviceStep.Limits(),
    device configuration: EmulatedDevice.Configuration = EmulatedDevice.Configuration()
  ) throws {
    model = try World.load(name)
    self.chunk = chunk
    let setup = SequenceSetup(
      model: model, compute: try CPUBackend(threadCount: 1), contextLength: contextLength,
      keyValueType: type, chunkTokenCount: chunk)
    device = try EmulatedDevice(configuration)
    serving = try HostServing(setup, device: device, placement: placement)
    decoder = try HybridDecoder(
      setup, device: device, serving: serving, placement: placement, limits: limits)
    expected = try CPUSequenceBackend(setup)
  }

  static func load(_ name: String) throws -> DecoderModel {
    try DecoderModel.load(
      GGUFFile.open(path: path(name)) { MappedSource(try MappedFile(path: $0)) },
      weights: WeightLoading(.native))
  }

  /// The model that the program carries.
  static let bundled = "hybrimoe-demo"

  /// The small models that the processor's engine is tested with, and the bundled one.
  static func path(_ name: String, file: String = #filePath) -> String {
    let root = "/" + file.split(separator: "/").dropLast(3).joined(separator: "/")
    return name == bundled
      ? "\(root)/Sources/Product/CBundledModel/model/\(name).gguf"
      : "\(root)/Tests/InferenceTests/Fixtures/\(name).gguf"
  }

  /// Some tokens of the model, the same every time.
  func tokens(_ count: Int, seed: Int = 1) -> [Int] {
    (0..<count).map { ($0 * 37 + seed * 101 + $0 * $0 * 7) % model.hyperparameters.vocabularySize }
  }
}

/// Sees routings as they come.
final class Recorder: StepObserver {
  let readsScores: Bool
  private(set) var routings: [LayerRouting] = []

  init(readsScores: Bool = true) { self.readsScores = readsScores }

  func didRoute(_ routing: LayerRouting) { routings.append(routing) }

  /// All numbers, layer by layer and step by step.
  var bits: [[UInt32]] {
    routings.map { routing in
      [UInt32(routing.layer), UInt32(routing.ranks)] + routing.ids.map { UInt32(bitPattern: $0) }
        + routing.weights.map(\.bitPattern) + routing.scores.map(\.bitPattern)
        + routing.predicted.flatMap { [UInt32($0.layer)] + $0.scores.map(\.bitPattern) }
    }
  }
}

extension SequenceBackend {
  /// Takes a sequence through: a prompt in chunks, then single tokens; all logits' bits.
  func bits(
    prompt: [Int], chunk: Int, answer: [Int] = [], from start: Int = 0,
    observer: (any StepObserver)? = nil, wantsAll: Bool = false
  ) throws -> [[UInt32]] {
    var all: [[UInt32]] = []
    var position = start
    for start in stride(from: 0, to: prompt.count, by: chunk) {
      let part = Array(prompt[start..<min(start + chunk, prompt.count)])
      let isLast = start + part.count == prompt.count
      let first = wantsAll ? 0 : (isLast ? part.count - 1 : part.count)
      try forward(
        part, rows: first..<part.count, position: position, phase: .prefill, observer: observer
      ) {}
      try withLogits(ofRows: 0..<part.count - first) { all.append($1.map(\.bitPattern)) }
      position += part.count
    }
    for token in answer {
      try forward([token], rows: 0..<1, position: position, phase: .decode, observer: observer) {}
      try withLogits(ofRows: 0..<1) { all.append($1.map(\.bitPattern)) }
      position += 1
    }
    return all
  }
}
