import ExpertDirection
import ExpertSimulation
import Experts
import Placement
import Testing

/// Small here; `Tools` and the benchmark play the real shapes.
@Suite struct `A better machine` {
  private func milliseconds(_ profile: MachineProfile, ratio: Double) throws -> [Double] {
    var world = try SimulationWorld.shared.get()[0]
    world.machine = try SimulatedMachine(profile: profile, shape: world.machine.shape)
    let report = try world.report(SystemDescription(.hybrimoe, cacheRatio: ratio))
    return [report.prefill.totalMicroseconds, report.decode.totalMicroseconds]
  }

  @Test func `a much faster link or CPU, or a much larger cache, never makes us slower`() throws {
    let base = try SimulationWorld.profile()
    var link = base
    link.gpu.linkBytesPerMicrosecond *= 2
    link.host.linkBytesPerMicrosecond *= 2
    var cpu = base
    for type in cpu.host.cpu.keys {
      cpu.host.cpu[type]?.bytesPerMicrosecond *= 2
      cpu.host.cpu[type]?.parameterTokensPerMicrosecond *= 2
    }
    let before = try milliseconds(base, ratio: 0.25)
    for after in [
      try milliseconds(link, ratio: 0.25), try milliseconds(cpu, ratio: 0.25),
      try milliseconds(base, ratio: 0.5),
    ] {
      for (old, new) in zip(before, after) { #expect(new <= old * 1.01) }
    }
  }
}
