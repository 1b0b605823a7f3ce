// What the policies cost beside the scheduler: a decision of the prefetcher, an event of the cache, a
// layer of the director, and a whole simulated run; ends with 1 where a limit is not kept.
//   swift run -c release --package-path Benchmarks PolicyBenchmark [decode tokens] [--no-time-limits]

import BenchmarkSupport
import CAllocationCount
import ExpertCaching
import ExpertDirection
import ExpertSimulation
import Experts
import Glibc
import Placement
import RoutingTraces
import TestSupport

@main
struct PolicyBenchmark {
  let decodeTokens: Int
  var report = Report()

  static func main() throws {
    var arguments = CommandLine.arguments.dropFirst()
    let hasTimeLimits = !arguments.contains("--no-time-limits")
    arguments.removeAll { $0 == "--no-time-limits" }
    guard arguments.count <= 1, let tokens = arguments.first.map({ Int($0) }) ?? 1000,
      (10...100_000).contains(tokens)
    else {
      print("usage: PolicyBenchmark [decode tokens, at least 10] [--no-time-limits]")
      exit(64)
    }
    var benchmark = PolicyBenchmark(decodeTokens: tokens)
    benchmark.report.hasTimeLimits = hasTimeLimits
    benchmark.report.begin()
    benchmark.report.require(allocation_count() > 0, "allocations are counted")
    print()
    benchmark.report.row("decode, 64 experts", ["ns", "allocations"], widths: [10, 12])
    for decision in PrefetchDecision.all { benchmark.show(decision.timed()) }
    try benchmark.measureRuns()
    try benchmark.measureDirector()
    try benchmark.measureMonotonicity()
    benchmark.report.end()
  }

  init(decodeTokens: Int) { self.decodeTokens = decodeTokens }

  private mutating func show(_ result: TimedDecision) {
    report.row(
      result.title, [Report.fixed(result.nanoseconds, 0), "\(result.allocations)"],
      widths: [10, 12])
    report.require(result.nanoseconds, atMost: 20_000, result.title)
    report.require(result.allocations == 0, "\(result.title): no allocations")
  }

  /// Cache events and simulated runs of Qwen2-57B.
  private mutating func measureRuns() throws {
    let shape = try ModelShape(text: profileText("shapes/qwen2-57b-a14b"))
    let profile = MachineProfile(
      gpu: try GPUProfile.machine(text: profileText("machines/paper")).gpu,
      host: try HostProfile(text: profileText("hosts/xeon-5220r")))
    let machine = try SimulatedMachine(profile: profile, shape: shape)
    let header = TraceHeader(
      model: shape.name, layers: machine.layerCount, experts: machine.expertCount,
      activated: machine.activatedCount, expertBytes: machine.footprints.map(\.linkBytes))
    let behavior = try RoutingBehavior(text: profileText("routing/qwen2-57b-a14b"))
    let sequence = try SimulatedSequence(
      header, behavior: behavior, promptTokens: 32, decodeTokens: decodeTokens, seed: 1)

    for eviction in [EvictionName.lru, .mrs, .auto] {
      show(try cacheEvent(eviction, header, sequence.events))
    }
    print()
    report.row(
      "\(decodeTokens) tokens of Qwen2-57B", ["seconds", "ms a token"], widths: [10, 12])
    for name in [
      SystemDescription(.ktransformers, cacheRatio: 0.25), .init(.hybrimoe, cacheRatio: 0.25),
    ] {
      var simulator = try Simulator(
        machine: machine, system: name, popularity: sequence.popularity)
      let clock = ContinuousClock()
      let start = clock.now
      for event in sequence.events { try simulator.play(event) }
      let result = simulator.finish()
      let nanoseconds = PrefetchDecision.nanoseconds(start.duration(to: clock.now))
      let steps = result[.decode].stepMicroseconds
      report.row(
        name.scheduler.rawValue,
        [
          Report.fixed(nanoseconds / 1e9, 2),
          Report.fixed(steps.reduce(0, +) / Double(max(1, steps.count)) / 1e3, 1),
        ], widths: [10, 12])
      report.require(
        nanoseconds / Double(decodeTokens) * 1000, atMost: 2e9,
        "\(name.scheduler.rawValue), 1000 tokens")
    }
  }

  /// What the cache does with an event: it learns, judges each miss and admits some.
  private func cacheEvent(
    _ eviction: EvictionName, _ header: TraceHeader, _ events: [RoutingEvent]
  ) throws -> TimedDecision {
    var configuration = CacheConfiguration(
      layers: header.layers, experts: header.experts, activated: header.activated,
      slotsPerLayer: header.experts / 4)
    configuration.eviction = eviction
    configuration.admission = .bypass
    var cache = try ExpertCache(configuration)
    let decode = events.filter { $0.phase == .decode }
    let half = decode.count / 2
    for place in 0..<half { _ = cache.play(decode[place]) }
    let clock = ContinuousClock()
    let start = clock.now
    let before = allocation_count()
    for place in half..<decode.count { _ = cache.play(decode[place]) }
    let allocations = allocation_count() - before
    let nanoseconds = PrefetchDecision.nanoseconds(start.duration(to: clock.now))
    return TimedDecision(
      title: "cache event, \(eviction.rawValue)",
      nanoseconds: nanoseconds / Double(decode.count - half),
      allocations: Int(allocations))
  }
}
