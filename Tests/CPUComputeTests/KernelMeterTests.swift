import Testing

@testable import CPUCompute
@testable import Tensors

@Suite struct KernelMeterTests {
  private func meter(_ compute: CPUBackend) throws -> KernelMeter {
    KernelMeter(
      compute, tokenCounts: [1, 3], setByteCount: 1, repetitions: 1,
      ceilings: CeilingMeter(
        compute, memory: try CeilingMemory(chunkCount: 1), iterationCount: 100))
  }

  @Test func `every readable type has products to measure`() throws {
    let compute = try CPUBackend(threadCount: 2)
    let meter = try meter(compute)
    for type in [ElementType.q4_K, .q5_0, .f16] {
      let speed = try #require(try meter.products(of: type))
      #expect(speed.readGBps > 0)
      #expect(speed.productGOPS.count == 2)
      #expect(speed.productGOPS.allSatisfy { $0 > 0 })
    }
    #expect(try meter.products(of: .iq1_s) == nil)
  }

  @Test func `the other kernels are measured`() throws {
    let compute = try CPUBackend(threadCount: 1)
    let speeds = try meter(compute).others(positionCount: 4)
    #expect(Set(speeds.map(\.name)).count == speeds.count)
    #expect(speeds.allSatisfy { $0.readGBps > 0 })
  }

  @Test func `ceilings say where no int8 peak is known`() throws {
    for set in InstructionSet.allCases where set.isAvailable {
      let compute = try CPUBackend(threadCount: 1, instructionSet: set)
      let meter = CeilingMeter(
        compute, memory: try CeilingMemory(chunkCount: 1), iterationCount: 100)
      meter.measure()
      let ceilings = meter.ceilings
      #expect(ceilings.readGBps > 0 && ceilings.floatGOPS > 0)
      #expect((ceilings.int8GOPS != nil) == (set != .portable))
      #expect(ceilings.productGOPS == ceilings.int8GOPS)
    }
  }
}
