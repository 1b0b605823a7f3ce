import Testing

@testable import Tensors

@Suite struct MadeBlocksTests {
  @Test(arguments: ElementType.allCases.filter(\.isReadable))
  func `made weights are finite and spread as those of published models`(
    type: ElementType
  ) throws {
    let blocks = max(16, 16_384 / type.elementsPerBlock)
    let bytes = try #require(type.madeBlocks(blocks, seed: 7))
    #expect(bytes.count == blocks * type.bytesPerBlock)
    let values = try ReferenceQuantization.dequantize(
      bytes, type: type, count: blocks * type.elementsPerBlock)
    let finite = values.allSatisfy(\.isFinite)
    #expect(finite)
    let mean = values.reduce(0, +) / Float(values.count)
    let square = values.reduce(0) { $0 + $1 * $1 } / Float(values.count)
    let deviation = square.squareRoot()
    #expect((0.005...0.06).contains(deviation), "\(deviation)")
    #expect(abs(mean) < 0.5 * deviation, "\(mean)")
  }

  @Test func `equal seeds give equal blocks, others do not`() throws {
    let first = try #require(ElementType.q4_K.madeBlocks(3, seed: 1))
    #expect(ElementType.q4_K.madeBlocks(3, seed: 1) == first)
    #expect(ElementType.q4_K.madeBlocks(3, seed: 2) != first)
    #expect(ElementType.iq1_s.madeBlocks(1, seed: 1) == nil)
  }
}
