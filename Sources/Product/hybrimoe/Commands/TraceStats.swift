import ArgumentParser
import ExpertCaching
import Experts

/// Replays a routing trace through expert caches of several sizes and rules.
struct TraceStats: LookingCommand {
  static let configuration = CommandConfiguration(
    commandName: "stats",
    abstract: "Show how often experts would have been resident, for each caching rule and size.",
    usage: "hybrimoe trace stats <file> [<options>]",
    discussion: """
      Every rule starts with empty caches and plays the whole trace. 'min' knows the future and is \
      the bound for all others; 'static' knows how often each expert is used in the whole trace. \
      The rules 'lru' and 'least-stale' always admit, so they have no rows under 'bypass'.
      """)

  @Argument(help: .init("A trace, plain or .gz; - reads standard input.", valueName: "file"))
  var path: String

  @Option(
    parsing: .unconditional,
    help: .init("Shares of the experts that fit, above 0 and at most 1.", valueName: "list"))
  var capacities = Listed<Double>([0.1, 0.25, 0.5, 0.75])

  @Option(parsing: .unconditional, help: "Slots for each layer, or shared by all.")
  var scope: CacheScope = .layer

  @Option(
    parsing: .unconditional,
    help: .init("Rules, by name (default: all of the scope).", valueName: "list"))
  var eviction: Listed<EvictionName>?

  @Option(
    parsing: .unconditional, help: .init("Admissions, by name.", valueName: "list"))
  var admission = Listed<Admission>(Admission.allCases)

  @Option(
    parsing: .unconditional,
    help: .init("The weight of the newest scores in 'mrs'.", valueName: "share"))
  var mrsAlpha = 0.5

  @Option(
    parsing: .unconditional,
    help: .init(
      "Also draw the hit rates, as SVG: of decode where the trace has it, by the first admission.",
      valueName: "file"))
  var svg: String?

  @Flag(help: "Take the whole steps before damage instead of failing.")
  var recover = false

  @OptionGroup(title: "Looking") var looking: LookingOptions

  private var request: ReplayRequest {
    ReplayRequest(
      capacities: capacities.values, scope: scope, evictions: eviction?.values,
      admissions: admission.values, mrsAlpha: mrsAlpha)
  }

  func validate() throws {
    try capacities.checkDistinct("--capacities")
    try eviction?.checkDistinct("--eviction")
    try admission.checkDistinct("--admission")
    do { try request.validate() } catch { throw ValidationError("\(error).") }
    try OutputChoice.check(svg.map { [("--svg", $0)] } ?? [], input: ("the trace", path))
    let isEmpty = request.evictions.allSatisfy { name in
      !admission.values.contains { $0 == .forced || name.hasBypass }
    }
    if isEmpty {
      let names = request.evictions.map(\.rawValue).joined(separator: " and ")
      throw ValidationError(
        "--admission bypass: \(names) always admit, so that nothing is left to replay; add "
          + "'forced' or another rule.")
    }
  }

  func run() throws {
    let console = looking.console
    let trace = try TraceFile(path: path, isRecovering: recover)
    var statistics: TraceStatistics
    do {
      statistics = try TraceStatistics(header: trace.header, request: request)
    } catch {
      throw CommandFailure("\(trace.name): \(error).")
    }
    while let event = try trace.next() { statistics.append(event) }
    if let damage = trace.damage {
      console.warn(
        "\(trace.name): \(damage). Only the \(trace.stepCount) whole steps before it are replayed.")
    }
    let report = HitRateReport(statistics)
    if let svg {
      let file = try OutputFile(path: svg)
      try file.write(report.chart.svg())
      try file.finish()
    }
    try OutputStream.standardOutput.write(looking.json ? report.json.text + "\n" : report.text)
  }
}
