import CPUCompute
import DeviceCompute
import EmulatedDevice
import Experts
import HostMemory
import TestSupport
import Testing

@testable import HybridExperts

@Suite struct WarmUpTests {
  private func measure(_ experts: MadeExperts, link: Double) throws -> MeasuredCosts {
    var times = EmulatedTimes()
    times.copyLatencyMicroseconds = 5
    times.uploadBytesPerMicrosecond = link
    times.launchMicroseconds = 2
    let kernels = KernelCosts(
      bytesPerMicrosecond: 4000, parameterTokensPerMicrosecond: 1_000_000)
    times.kernelMicroseconds = { name, _, _, arguments in
      kernels.microseconds(of: name, arguments)
    }
    let device = try EmulatedDevice(.init(timing: .modelled(times)))
    let made = try experts.make(store: nil)
    let footprint = try experts.costs().layers[0].footprint
    var plan = WarmUp.Plan()
    plan.linkMilliseconds = 1
    let warmUp = try WarmUp(
      device, compute: try CPUBackend(threadCount: 1), layers: made.layers,
      footprints: Array(repeating: footprint, count: experts.layerCount), plan: plan
    ) { point in
      let each = point.bytes / 2000 + point.parameters * Double(point.tokens) / 10_000
      return 7 + Double(point.experts) * each
    }
    return try warmUp.measure()
  }

  @Test func `warm-up finds the numbers of a modelled machine`() throws {
    let costs = try measure(MadeExperts(layerCount: 1, width: 128), link: 9000)
    let cpu = try #require(costs.model.cpu["Q8_0"])
    #expect(abs(cpu.firstMicroseconds - 7) < 0.01)
    #expect(abs(cpu.bytesPerMicrosecond - 2000) < 1)
    #expect(abs(cpu.parameterTokensPerMicrosecond - 10_000) < 1)
    // Two launches, gated and down.
    #expect(abs(costs.model.gpu.launchMicroseconds - 4) < 0.5)
    #expect(abs(costs.model.gpu.bytesPerMicrosecond - 4000) < 400)
    #expect(abs(costs.model.link.latencyMicroseconds - 5) < 0.5)
    #expect(abs(costs.model.link.bytesPerMicrosecond - 9000) < 450)
    #expect(costs.model.handshakeMicroseconds > 0)
    #expect(costs.errors.map(\.part).sorted() == ["cpu Q8_0", "gpu", "link"])
    #expect(costs.errors.allSatisfy { $0.maximumRelativeError < 0.2 })
  }

  @Test func `costs are kept, and others' are refused`() throws {
    let costs = try measure(MadeExperts(layerCount: 1), link: 5000)
    let file = CostsFile(key: "this machine", costs: costs)
    #expect(try CostsFile(text: file.text, key: "this machine") == file)
    #expect(throws: CostsFileFault.otherMachine) {
      _ = try CostsFile(text: file.text, key: "that machine")
    }
    let older = file.text.replacing("\"version\":1", with: "\"version\":0")
    #expect(throws: CostsFileFault.otherVersion) {
      _ = try CostsFile(text: older, key: "this machine")
    }
    #expect(throws: (any Error).self) { _ = try CostsFile(text: "{", key: "this machine") }
    #expect(throws: (any Error).self) {
      _ = try CostsFile(
        text: file.text.replacing("\"bytesPerMicrosecond\":", with: "\"bytesPerMicrosecond\":-"),
        key: "this machine")
    }
  }

  @Test func `measured lanes follow what running layers take, within bounds`() throws {
    let experts = MadeExperts()
    let table = try experts.costs()
    let footprints = table.layers.map(\.footprint)
    var lanes = try #require(
      MeasuredLanes(dense: table, model: table.model, footprints: footprints))
    #expect(lanes.layerCosts(tokens: 3) == table.layerCosts(tokens: 3))
    lanes.scales.follow(.cpu, 1.5)
    lanes.scales.follow(.link, 100)
    let (was, now) = (table.layerCosts(tokens: 1)[0], lanes.layerCosts(tokens: 1)[0])
    #expect(now.cpu(load: 2) == 1.5 * was.cpu(load: 2))
    #expect(now.linkPerExpert == 4 * was.linkPerExpert)
    #expect(now.gpu(load: 2) == was.gpu(load: 2))
    #expect(
      MeasuredLanes(dense: table, model: table.model, footprints: Array(footprints.dropLast()))
        == nil)
  }

  @Test func `the GPU is worthwhile where it is faster than the processor`() throws {
    var table = try MadeExperts().costs()
    let slots = Array(repeating: 4, count: table.layerCount)
    #expect(GPUWorthwhile(table, slots: slots).isWorthwhile)
    table.model.handshakeMicroseconds = 1000
    let verdict = GPUWorthwhile(table, slots: slots)
    #expect(!verdict.isWorthwhile)
    #expect(verdict.sentence.contains("would not help"))
  }

  @Test func `one disturbed layer does not move the middle of the ratios`() {
    var median = RatioMedian()
    for _ in 0..<20 { median.add(measured: 11, predicted: 10) }
    median.add(measured: 1e6, predicted: 1)
    #expect(median.value == 1.1)
    median.clear()
    #expect(median.value == nil)
  }
}
