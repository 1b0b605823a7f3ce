import TestSupport
import Testing

@testable import Placement

@Suite struct ModelOutlineTests {
  private static let names = [
    "deepseek-v2-lite", "deepseek-v3", "gpt-oss-20b", "mixtral-8x7b", "qwen2-57b-a14b",
    "qwen3-30b-a3b", "qwen3-235b-a22b",
  ]

  private func outline(_ name: String) throws -> ModelOutline {
    try ModelOutline(text: profileText("shapes/\(name)"), file: name)
  }

  /// Bytes of a block and the elements in it, by the type's name.
  private static let blocks: [String: (elements: Int, bytes: Int)] = [
    "F32": (1, 4), "F16": (1, 2), "Q8_0": (32, 34), "Q5_0": (32, 22), "MXFP4": (32, 17),
    "Q4_K": (256, 144), "Q6_K": (256, 210),
  ]

  @Test(arguments: names)
  func `the tensors of the whole model take what the shape says`(name: String) throws {
    let outline = try outline(name)
    let shape = try ModelShape(text: profileText("shapes/\(name)"), file: name)
    let tensors = outline.tensors(layers: outline.layerCount)
    var bytes = 0
    for tensor in tensors {
      let block = try #require(Self.blocks[tensor.type])
      let rows = tensor.dimensions.dropFirst().reduce(1, *)
      #expect(tensor.dimensions[0] % block.elements == 0, "\(tensor.name)")
      bytes += rows * tensor.dimensions[0] / block.elements * block.bytes
    }
    // Small norms inside the attention, biases of the attention and split projections show in the
    // tensors only.
    let difference = Double(abs(bytes - shape.totalBytes)) / Double(shape.totalBytes)
    #expect(difference < 0.005, "\(bytes) and \(shape.totalBytes) bytes")
    #expect(Set(tensors.map(\.name)).count == tensors.count)
  }

  @Test(arguments: names)
  func `some layers stand for the whole`(name: String) throws {
    let outline = try outline(name)
    for count in 1...outline.layerCount {
      let chosen = outline.chosenLayers(count)
      #expect(chosen.count == count)
      #expect(zip(chosen, chosen.dropFirst()).allSatisfy { $0 < $1 })
      #expect(chosen.allSatisfy { (0..<outline.layerCount).contains($0) })
      let layers = outline.tensors(layers: count).compactMap { tensor in
        tensor.name.split(separator: ".").dropFirst().first.flatMap { Int($0) }
      }
      #expect(Set(layers) == Set(0..<count))
    }
    #expect(outline.chosenLayers(outline.layerCount) == Array(0..<outline.layerCount))
  }

  @Test func `dense layers come first, at least one of several layers`() throws {
    let outline = try outline("deepseek-v3")
    #expect(outline.chosenLayers(1).filter { $0 < 3 }.isEmpty)
    #expect(outline.chosenLayers(2).filter { $0 < 3 } == [0])
    #expect(outline.chosenLayers(41).filter { $0 < 3 } == [0, 1])
    let keys = outline.keys(layers: 41)
    #expect(
      keys.first { $0.name == "deepseek2.leading_dense_block_count" }?.value == .integer(2))
    #expect(keys.first { $0.name == "deepseek2.block_count" }?.value == .integer(41))
    #expect(outline.activatedShare == 8.0 / 256)
  }
}
