import EmulatedDevice
import Experts
import HybridDecoding
import Models
import TestSupport
import Testing

/// One way to run a small model, drawn so that every two options meet.
struct Combination: Sendable, CustomStringConvertible {
  static let models = [
    "gpt-oss-nano-MXFP4_MOE", "deepseek2-nano-Q4_0", "qwen2moe-nano-F16", "deepseek3-nano-Q8_0",
    "qwen3moe-nano-Q5_0", "deepseek2-nano-F16-legacy-kv_b",
  ]
  private static let chunks = [1, 3, 9]
  private static let types = KeyValueType.allCases
  /// Layers on the processor: none, the first, the last, one in the middle, all.
  private static let hosts = 5
  private static let levels = [models.count, chunks.count, types.count, 3, 2, hosts, 2, 2]

  let levels: [Int]

  static let few = PairwiseCover(levels: levels).rows.map(Combination.init)

  private init(_ levels: [Int]) { self.levels = levels }

  var model: String { Self.models[levels[0]] }
  var chunk: Int { Self.chunks[levels[1]] }
  var type: KeyValueType { Self.types[levels[2]] }
  /// nil: streams progress in the order of submission.
  var seed: UInt64? { levels[3] == 0 ? nil : UInt64(levels[3]) }
  var waitsForMemory: Bool { levels[4] == 0 }
  var usesDeviceRows: Bool { levels[7] == 1 }

  func placement(layerCount: Int) -> DensePlacement {
    let layers: Set<Int> =
      switch levels[5] {
      case 0: []
      case 1: [0]
      case 2: [layerCount - 1]
      case 3: [layerCount / 2]
      default: Set(0..<layerCount)
      }
    return DensePlacement(hostLayers: layers, outputHeadOnHost: levels[6] == 1)
  }

  var description: String {
    "\(model), chunks of \(chunk), \(type.rawValue), order \(seed.map { "\($0)" } ?? "plain"), "
      + "\(waitsForMemory ? "waits" : "no waits"), host layers \(levels[5]), "
      + "head on \(levels[6] == 1 ? "host" : "device"), "
      + "rows from \(usesDeviceRows ? "both" : "host")"
  }
}

@Suite struct CombinationTests {
  @Test(arguments: Combination.few)
  func `logits and routing have the processor's bits`(_ combination: Combination) throws {
    let layerCount = try World.load(combination.model).hyperparameters.layerCount
    let placement = combination.placement(layerCount: layerCount)
    let world = try World(
      combination.model, type: combination.type, chunk: combination.chunk, contextLength: 24,
      placement: placement,
      device: EmulatedDevice.Configuration(
        seed: combination.seed, waitsForMemory: combination.waitsForMemory))
    world.serving.usesDeviceRows = combination.usesDeviceRows
    let (found, expected) = (Recorder(), Recorder())
    let prompt = world.tokens(9)
    let answer = world.tokens(2, seed: 3)
    #expect(
      try world.decoder.bits(
        prompt: prompt, chunk: combination.chunk, answer: answer, observer: found, wantsAll: true)
        == world.expected.bits(
          prompt: prompt, chunk: combination.chunk, answer: answer, observer: expected,
          wantsAll: true))
    #expect(found.bits == expected.bits)
    #expect(!found.routings.isEmpty)
  }
}
