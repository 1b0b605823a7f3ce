import ExpertDirection
import Experts

/// Lane costs of a small model whose lanes are about equally strong.
enum DirectionWorld {
  static func costs(layers: Int = 4, experts: Int = 8) throws -> LaneCostTable {
    let cpu = CostModel.CPU(
      firstMicroseconds: 5, bytesPerMicrosecond: 30_000, parameterTokensPerMicrosecond: 100_000)
    let gpu = CostModel.GPU(
      launchMicroseconds: 5, expertMicroseconds: 2, bytesPerMicrosecond: 500_000, kneeTokens: 16,
      parameterTokensPerMicrosecond: 5_000_000)
    let link = CostModel.Link(
      latencyMicroseconds: 10, bytesPerMicrosecond: 25_000, overlappedBytesPerMicrosecond: 20_000)
    let layer = LaneCostTable.Layer(
      footprint: ExpertFootprint(
        hostBytes: 3_500_000, parameters: 6_291_456, elementType: "Q4_K"),
      attention: .init(
        fixedMicroseconds: 40, microsecondsPerToken: 0.5, microsecondsPerPosition: 0.01),
      shared: .init(fixedMicroseconds: 10))
    return try LaneCostTable(
      model: CostModel(cpu: ["*": cpu], gpu: gpu, link: link, handshakeMicroseconds: 8),
      layers: Array(repeating: layer, count: layers), expertCount: experts, activatedCount: 2,
      denseLayers: .init(fixedMicroseconds: 60), outputMicroseconds: 30)
  }
}
