import CPUCompute
import Devices
@testable import EmulatedDevice
import ExpertDirection
import Experts
import HybridDecoding
import HybridExperts
import Models
import Testing

/// Whatever is refused while an engine is made, nothing hangs and nothing is left.
@Suite struct ConstructionTests {
  /// What goes wrong, wherever it may.
  enum Wrong: String, CaseIterable, Sendable {
    case allocation, pinning, copy, launch

    func failure(_ number: Int) -> EmulatedFailure {
      switch self {
      case .allocation: .allocation(number: number)
      case .pinning: .pinningBeyond(byteCount: (number - 1) * 6000)
      case .copy: .copy(number: number)
      case .launch: .launch(number: number)
      }
    }
  }

  private func configuration(_ failures: [EmulatedFailure]) -> EmulatedDevice.Configuration {
    // Streams run behind, so that work is under way where something fails.
    EmulatedDevice.Configuration(seed: 11, failures: failures)
  }

  /// Makes an engine and lets it take a step.
  private func run(
    _ model: DecoderModel, _ device: EmulatedDevice, readsLogits: Bool = true
  ) throws {
    let setup = SequenceSetup(
      model: model, compute: try CPUBackend(threadCount: 1), contextLength: 24,
      keyValueType: .f16, chunkTokenCount: 3)
    let hybrid = HybridSetup(
      device: device, compute: setup.compute, layers: model.expertLayers, store: model.store,
      lanes: try Engine.costs(model, machine: 1),
      system: SystemDescription(.hybrimoe, cacheRatio: 0.5), tokenCapacity: 3)
    let executor = try HybridExecutor(hybrid)
    let decoder = try HybridDecoder(setup, device: device, serving: executor)
    try decoder.forward([1, 2, 3], rows: 2..<3, position: 0, phase: .prefill, observer: nil) {}
    if readsLogits { try decoder.withLogits(ofRows: 0..<1) { _, _ in } }
  }

  @Test(arguments: Wrong.allCases, ["deepseek2-nano-Q4_0", "gpt-oss-nano-F16"])
  func `nothing is left of an engine that cannot be made`(_ wrong: Wrong, _ name: String) throws {
    let model = try World.load(name)
    let whole = try EmulatedDevice(configuration([]))
    try run(model, whole)
    let most: Int =
      switch wrong {
      case .allocation: whole.emulation.allocations
      case .copy: whole.emulation.copies
      case .launch: whole.emulation.launches
      case .pinning: 40
      }
    #expect(whole.emulation.heap.usedByteCount == 0 && whole.emulation.pinnedByteCount == 0)
    var failed = 0
    for number in stride(from: 1, through: most, by: max(1, most / 25)) {
      let device = try EmulatedDevice(configuration([wrong.failure(number)]))
      do { try run(model, device) } catch { failed += 1 }
      let emulation = device.emulation
      #expect(emulation.heap.usedByteCount == 0, "\(wrong) \(number)")
      #expect(emulation.pinnedByteCount == 0, "\(wrong) \(number)")
      // Work that was under way has written nothing into memory that was given back.
      do {
        try device.synchronize()
      } catch {
        #expect("\(error)".contains("injected"), "\(wrong) \(number): \(error)")
      }
    }
    #expect(failed > 0)
  }

  @Test(arguments: 1...8 as ClosedRange<UInt64>)
  func `nothing is written into the memory of an engine that is gone`(_ seed: UInt64) throws {
    let model = try World.load("mixtral-nano-F16")
    let device = try EmulatedDevice(EmulatedDevice.Configuration(seed: seed))
    try run(model, device, readsLogits: false)
    #expect(device.emulation.heap.usedByteCount == 0 && device.emulation.pinnedByteCount == 0)
    try device.synchronize()
  }
}
