import CPUCompute
import Experts
import HostMemory
@testable import Models
import Tensors
import TestSupport

/// Experts of made weights, small enough for a debug build.
struct MadeExperts {
  var layerCount = 3
  var expertCount = 8
  var ranks = 2
  var hidden = 64
  var width = 64
  var gateType = ElementType.q8_0
  var downType = ElementType.q8_0
  var hasBiases = false
  var activation = GatedActivation.silu
  var seed: UInt64 = 1

  /// The layers by number of the file: every second one, so that numbers and places differ.
  func make(store: PackedStore?) throws -> MadeLayers {
    var layers: [Int: ExpertLayer] = [:]
    var buffers: [AlignedBuffer] = []
    var generator = SeededGenerator(seed: seed)
    func matrices(_ type: ElementType, rows: Int, columns: Int) throws -> [WeightMatrix] {
      try (0..<expertCount).map { _ in
        let blocks = rows * columns / type.elementsPerBlock
        guard let bytes = type.madeBlocks(blocks, seed: generator.next()) else {
          throw HostMemoryError.cannotAllocate(byteCount: 0, purpose: "\(type)", reason: "no type")
        }
        let buffer = try AlignedBuffer(byteCount: bytes.count, purpose: "made weights")
        buffer.write(bytes.span, at: 0)
        buffers.append(buffer)
        guard
          let matrix = WeightMatrix(
            base: buffer.base, type: type, rowCount: rows, columnCount: columns, store: store)
        else {
          throw HostMemoryError.cannotAllocate(byteCount: 0, purpose: "rows", reason: "odd")
        }
        return matrix
      }
    }
    func biases(_ count: Int) -> [FloatVector]? {
      guard hasBiases else { return nil }
      return (0..<expertCount).map { _ in
        FloatVector((0..<count).map { _ in generator.nextFloat() })
      }
    }
    for layer in 0..<layerCount {
      layers[2 * layer + 1] = ExpertLayer(
        gate: try matrices(gateType, rows: width, columns: hidden),
        up: try matrices(gateType, rows: width, columns: hidden),
        down: try matrices(downType, rows: hidden, columns: width),
        gateBias: biases(width), upBias: biases(width), downBias: biases(hidden),
        activation: activation)
    }
    return MadeLayers(layers: layers, buffers: buffers)
  }

  /// Room for all packed copies.
  func makeStore(capacityBytes: Int = 64 << 20) throws -> PackedStore {
    try PackedStore(
      capacityBytes: capacityBytes, givesBackNativePages: false, packsAtUse: 2)
  }
}

/// Layers and the memory that they lie in.
struct MadeLayers {
  let layers: [Int: ExpertLayer]
  let buffers: [AlignedBuffer]
}

/// What the routers of a step decided, and the hidden states they saw.
struct MadeStep {
  var phase: Phase
  var tokenCount: Int
  /// By layer: [tokens × hidden].
  var inputs: [[Float]]
  /// By layer: [tokens × ranks].
  var ids: [[Int32]]
  var weights: [[Float]]
  /// By layer: [tokens × experts].
  var scores: [[Float]]
}

extension MadeExperts {
  /// Steps whose tokens like some experts more than others and change their minds slowly.
  func steps(_ tokenCounts: [Int], seed: UInt64) -> [MadeStep] {
    var generator = SeededGenerator(seed: seed)
    var liking = (0..<layerCount).map { _ in
      (0..<expertCount).map { _ in generator.nextFloat() }
    }
    return tokenCounts.map { tokenCount in
      var step = MadeStep(
        phase: tokenCount > 1 ? .prefill : .decode, tokenCount: tokenCount, inputs: [], ids: [],
        weights: [], scores: [])
      for layer in 0..<layerCount {
        for expert in 0..<expertCount {
          liking[layer][expert] += generator.nextFloat() / 2
        }
        var (ids, weights, scores): ([Int32], [Float], [Float]) = ([], [], [])
        for _ in 0..<tokenCount {
          let values = liking[layer].map { $0 + generator.nextFloat() }
          let order = values.indices.sorted { values[$0] > values[$1] }.prefix(ranks)
          ids += order.map(Int32.init)
          weights += order.map { _ in Float.random(in: 0.1...1, using: &generator) }
          let sum = values.reduce(0) { $0 + ($1 + 4) * ($1 + 4) }
          scores += values.map { ($0 + 4) * ($0 + 4) / sum }
        }
        step.inputs.append((0..<tokenCount * hidden).map { _ in generator.nextFloat() })
        step.ids.append(ids)
        step.weights.append(weights)
        step.scores.append(scores)
      }
      return step
    }
  }
}
