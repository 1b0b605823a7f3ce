import EmulatedDevice
import Experts
import Models
import Testing

@testable import HybridDecoding

@Suite struct HybridDecoderTests {
  static let models = [
    "mixtral-nano-F16", "qwen3moe-nano-F16", "qwen2moe-nano-F16", "gpt-oss-nano-F16",
    "deepseek2-nano-F16", "deepseek3-nano-F16", "deepseek2-nano-F16-legacy-kv_b",
    "deepseek2-nano-F16-fused-gate_up", "mixtral-nano-F16-per-expert", "deepseek2-nano-Q4_0",
    "deepseek3-nano-Q8_0", "gpt-oss-nano-MXFP4_MOE", "qwen3moe-nano-Q5_0", "mixtral-mini-Q4_K",
  ]

  @Test(arguments: models)
  func `logits have the processor's bits`(_ name: String) throws {
    let world = try World(name)
    let prompt = world.tokens(7)
    let answer = world.tokens(2, seed: 2)
    let found = try world.decoder.bits(prompt: prompt, chunk: 4, answer: answer)
    let expected = try world.expected.bits(prompt: prompt, chunk: 4, answer: answer)
    #expect(found.count == 3)
    #expect(found == expected)
  }

  @Test(arguments: ["deepseek2-nano-F16", "deepseek3-nano-Q8_0", "deepseek2-nano-Q4_0"])
  func `rows and heads that are taken in parts have the same bits`(_ name: String) throws {
    let limits = DeviceStep.Limits(
      expansionByteCount: 1, quantizedRowCount: 3)
    let world = try World(name, limits: limits)
    let prompt = world.tokens(10)
    #expect(
      try world.decoder.bits(prompt: prompt, chunk: 4, answer: [5])
        == world.expected.bits(prompt: prompt, chunk: 4, answer: [5]))
    // Less memory is what it is for.
    #expect(
      try world.decoder.footprint.workspaceByteCount
        < World(name).decoder.footprint.workspaceByteCount)
  }

  @Test(arguments: ["gpt-oss-nano-F16", "deepseek2-nano-Q4_0"])
  func `a sequence longer than a block of attention has the processor's bits`(
    _ name: String
  ) throws {
    let world = try World(name, type: .q8_0, chunk: 100, contextLength: 300)
    let prompt = world.tokens(258)
    #expect(
      try world.decoder.bits(prompt: prompt, chunk: 100, answer: [5])
        == world.expected.bits(prompt: prompt, chunk: 100, answer: [5]))
  }
}
