import BenchmarkSupport
import CAllocationCount
import ExpertDirection
import ExpertSimulation
import Experts
import Placement
import RoutingTraces
import TestSupport

extension PolicyBenchmark {
  /// All that is decided for a layer of decode, from its routing to its end: what stands between the
  /// router and the first launch, and what follows.
  mutating func measureDirector() throws {
    print()
    report.row("director, a layer of decode", ["ns", "allocations"], widths: [10, 12])
    for (name, routing) in [
      ("mixtral-8x7b", "mixtral-8x7b"), ("deepseek-v2-lite", "deepseek-v2-lite"),
      ("qwen3-30b-a3b", "default"),
    ] {
      let result = try directedLayer(name, routing)
      report.row(
        result.title, [Report.fixed(result.nanoseconds, 0), "\(result.allocations)"],
        widths: [10, 12])
      report.require(result.nanoseconds, atMost: 150_000, result.title)
    }
  }

  private func directedLayer(_ name: String, _ routing: String) throws -> TimedDecision {
    let shape = try ModelShape(text: profileText("shapes/\(name)"))
    let profile = MachineProfile(
      gpu: try GPUProfile.machine(text: profileText("machines/rtx-4090")).gpu,
      host: try HostProfile(text: profileText("hosts/ddr5")))
    let machine = try SimulatedMachine(profile: profile, shape: shape)
    let header = TraceHeader(
      model: name, layers: machine.layerCount, experts: machine.expertCount,
      activated: machine.activatedCount, expertBytes: machine.footprints.map(\.linkBytes))
    let sequence = try SimulatedSequence(
      header, behavior: RoutingBehavior(text: profileText("routing/\(routing)")),
      promptTokens: 32, decodeTokens: min(decodeTokens, 200), seed: 1)
    var director = try ExpertDirector(
      lanes: machine, system: SystemDescription(.hybrimoe, cacheRatio: 0.25),
      popularity: sequence.popularity)
    director.recordsActions = true
    let decode = sequence.events.firstIndex { $0.phase == .decode } ?? 0
    // The first tokens make the arrays as long as they get.
    let first = (decode + sequence.events.count) / 2
    for event in sequence.events[..<first] { try play(event, &director) }
    let clock = ContinuousClock()
    let start = clock.now
    let before = allocation_count()
    for event in sequence.events[first...] { try play(event, &director) }
    let allocations = allocation_count() - before
    let count = sequence.events.count - first
    return TimedDecision(
      title: name,
      nanoseconds: PrefetchDecision.nanoseconds(start.duration(to: clock.now)) / Double(count),
      allocations: Int(allocations) / count)
  }

  private func play(_ event: RoutingEvent, _ director: inout ExpertDirector) throws {
    _ = try director.plan(event)
    director.playPlan()
    director.endLayer()
  }
}
