import EmulatedDevice
import Experts
import HybridDecoding
import Models
import Testing

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
}
