import BenchmarkSupport
import ExpertDirection
import ExpertScheduling
import ExpertSimulation
import Experts
import Placement
import RoutingTraces
import TestSupport

/// Whether a faster link, a faster CPU or a larger cache ever makes our simulated runs slower.
struct BetterMachines {
  struct Step {
    var title: String
    /// A run's time divided by that of the next worse machine, in the worst phase and place.
    var worstRatio: Double
  }

  private static let factors = [1, 1.15, 1.3, 1.6, 2, 3]
  private static let ratios = [0.25, 0.375, 0.5, 0.625, 0.75, 1]

  /// All steps of one model on one machine.
  static func steps(
    shape name: String, machine: String, host: String, decodeTokens: Int
  ) throws -> [Step] {
    let shape = try ModelShape(text: profileText("shapes/\(name)"))
    let base = MachineProfile(
      gpu: try GPUProfile.machine(text: profileText("machines/\(machine)")).gpu,
      host: try HostProfile(text: profileText("hosts/\(host)")))
    let simulated = try SimulatedMachine(profile: base, shape: shape)
    let header = TraceHeader(
      model: shape.name, layers: simulated.layerCount, experts: simulated.expertCount,
      activated: simulated.activatedCount, expertBytes: simulated.footprints.map(\.linkBytes))
    let sequence = try SimulatedSequence(
      header, behavior: try RoutingBehavior(text: profileText("routing/\(name)")),
      promptTokens: 64, decodeTokens: decodeTokens, seed: 1)

    func times(_ profile: MachineProfile, ratio: Double) throws -> [Double] {
      var simulator = try Simulator(
        machine: SimulatedMachine(profile: profile, shape: shape),
        system: SystemDescription(.hybrimoe, cacheRatio: ratio), popularity: sequence.popularity)
      for event in sequence.events { try simulator.play(event) }
      let report = simulator.finish()
      return Phase.allCases.map { report[$0].totalMicroseconds }
    }
    func worst(_ title: String, _ runs: [[Double]]) -> Step {
      let ratios = zip(runs, runs.dropFirst()).flatMap { old, new in
        zip(old, new).map { $1 / $0 }
      }
      return Step(title: "\(name), \(machine), \(title)", worstRatio: ratios.max() ?? 1)
    }

    let links = try factors.map { factor in
      var profile = base
      profile.gpu.linkBytesPerMicrosecond *= factor
      profile.host.linkBytesPerMicrosecond *= factor
      return try times(profile, ratio: 0.25)
    }
    let processors = try factors.map { factor in
      var profile = base
      for type in profile.host.cpu.keys {
        profile.host.cpu[type]?.bytesPerMicrosecond *= factor
        profile.host.cpu[type]?.parameterTokensPerMicrosecond *= factor
      }
      return try times(profile, ratio: 0.25)
    }
    let caches = try ratios.map { try times(base, ratio: $0) }
    return [worst("link", links), worst("CPU", processors), worst("cache", caches)]
  }
}

extension PolicyBenchmark {
  /// Three models on four machines; prints the worst step of each row of better machines.
  mutating func measureMonotonicity() throws {
    print()
    report.row("made faster or larger", ["worst step"], widths: [14])
    for shape in ["mixtral-8x7b", "deepseek-v2-lite", "qwen2-57b-a14b"] {
      for (machine, host) in [
        ("paper", "xeon-5220r"), ("rtx-3090", "ddr4"), ("rtx-4090", "ddr5"), ("a100", "epyc"),
      ] {
        let steps = try BetterMachines.steps(
          shape: shape, machine: machine, host: host, decodeTokens: min(64, decodeTokens))
        for step in steps {
          let percent = (step.worstRatio - 1) * 100
          let sign = percent > 0 ? "+" : ""
          report.row(step.title, [sign + Report.fixed(percent, 2) + " %"], widths: [14])
          report.require(step.worstRatio <= 1.01, "\(step.title): at most 1 % slower")
        }
      }
    }
  }
}
