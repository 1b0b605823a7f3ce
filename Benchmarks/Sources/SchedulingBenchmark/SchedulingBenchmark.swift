// Planning time, allocations, exactness and quality of the scheduler, beside the limits that the
// project sets for them; ends with 1 where one is not kept.
//   swift run -c release --package-path Benchmarks SchedulingBenchmark [cases] [--no-time-limits]

import BenchmarkSupport
import CAllocationCount
import ExpertScheduling
import Experts
import Glibc
import TestSupport

@main
struct SchedulingBenchmark {
  private let caseCount: Int
  private var report = Report()

  static func main() {
    var arguments = CommandLine.arguments.dropFirst()
    let hasTimeLimits = !arguments.contains("--no-time-limits")
    arguments.removeAll { $0 == "--no-time-limits" }
    guard arguments.count <= 1, let caseCount = arguments.first.map({ Int($0) }) ?? 1000,
      caseCount >= 10
    else {
      print("usage: SchedulingBenchmark [cases, at least 10] [--no-time-limits]")
      exit(64)
    }
    var benchmark = SchedulingBenchmark(caseCount: caseCount)
    benchmark.report.hasTimeLimits = hasTimeLimits
    benchmark.report.begin()
    benchmark.report.require(allocation_count() > 0, "allocations are counted")
    benchmark.measureTimes()
    benchmark.measureQuality()
    benchmark.measureExactness()
    benchmark.report.end()
  }

  private init(caseCount: Int) { self.caseCount = caseCount }

  /// Each set of cases with the limit of its mean plan, in nanoseconds.
  private mutating func measureTimes() {
    let widths = [10, 14, 13, 12, 14]
    print()
    report.row(
      "planning, ns", ["mean", "slowest case", "makespan of", "quick", "allocations"],
      widths: widths)
    let decodeLimit = 2_000.0
    let prefillLimit = 200_000.0
    for (title, cases, rounds, limit) in [
      ("decode, 6 activated", PlanningCases.decode(activated: 6, seed: 1), 2000, decodeLimit),
      ("decode, 8 activated", PlanningCases.decode(activated: 8, seed: 2), 2000, decodeLimit),
      ("unequal loads, 2-10", PlanningCases.small(seed: 6), 500, prefillLimit),
      ("prefill, 64 activated", PlanningCases.prefill(activated: 64, seed: 3), 50, prefillLimit),
      ("prefill, 128 activated", PlanningCases.prefill(activated: 128, seed: 4), 50, prefillLimit),
      ("prefill, 248 activated", PlanningCases.prefill(activated: 248, seed: 5), 20, .infinity),
      ("competing lanes, 16", PlanningCases.harsh(activated: 16, seed: 7), 50, prefillLimit),
      ("competing lanes, 24", PlanningCases.harsh(activated: 24, seed: 8), 50, prefillLimit),
      ("competing lanes, 128", PlanningCases.harsh(activated: 128, seed: 9), 50, prefillLimit),
    ] {
      var scheduler = HybridScheduler()
      var plan = LayerPlan()
      let whole = PlanningTime(cases, rounds: rounds) { layerCase in
        scheduler.schedule(layerCase, into: &plan)
        return plan.makespan
      }
      let brief = PlanningTime(cases, rounds: rounds) { scheduler.makespan(of: $0) }
      let quick = PlanningTime(cases, rounds: rounds) { scheduler.quickMakespan(of: $0) }
      let allocations = whole.allocations + brief.allocations + quick.allocations
      report.row(
        title,
        [
          Report.fixed(whole.nanoseconds, 0), Report.fixed(whole.slowestCaseNanoseconds, 0),
          Report.fixed(brief.nanoseconds, 0), Report.fixed(quick.nanoseconds, 0),
          "\(allocations)",
        ], widths: widths)
      report.require(whole.nanoseconds, atMost: limit, title)
      report.require(allocations == 0, "\(title): no allocations")
    }
  }

  /// Our plans without the exact solver, then with it, against the optimum or the bound.
  private mutating func measureQuality() {
    let widths = [7, 9, 9, 10, 9, 9]
    print()
    report.row(
      "excess without exact solver",
      ["cases", "mean %", "worst %", "optimal", "unsound", "slower"],
      widths: widths)
    func show(_ title: String, _ quality: PlanQuality, isReal: Bool) {
      report.row(
        title,
        [
          "\(quality.cases)", Report.fixed(quality.meanExcess * 100, 3),
          Report.fixed(quality.worstExcess * 100, 2), "\(quality.optimal)", "\(quality.unsound)",
          "\(quality.slowerThanAnother)",
        ], widths: widths)
      report.require(quality.unsound == 0, "\(title): sound plans and bounds")
      report.require(quality.slowerThanAnother == 0, "\(title): never slower than another rule")
      if isReal {
        report.require(quality.meanExcess <= 0.03, "\(title): at most 3 % on average")
        report.require(
          quality.worstExcess <= 0.1, "\(title): at most 10 %, seed \(quality.worstSeed)")
      }
    }
    for (index, shape) in LayerShape.published.enumerated() {
      let seed = UInt64(index) << 32
      show(shape.name + ", 2-10", .small(shape, cases: caseCount, seed: seed), isReal: true)
      guard shape.experts > 10 else { continue }
      let whole = PlanQuality.large(shape, cases: caseCount / 5, seed: seed)
      show(shape.name + ", all (bound)", whole, isReal: true)
    }
    show("competing, 2-10", .harsh(cases: caseCount, counts: 2...10, seed: 1 << 40), isReal: false)
    for usesExactSolver in [false, true] {
      let quality = PlanQuality.harsh(
        cases: caseCount / 2, counts: 11...24, seed: 2 << 40, usesExactSolver: usesExactSolver)
      let title = usesExactSolver ? "  with exact solver" : "competing, 11-24 (bound)"
      show(title, quality, isReal: false)
    }
    let many = PlanQuality.harsh(cases: caseCount / 2, counts: 25...128, seed: 3 << 40)
    show("competing, 25-128 (bound)", many, isReal: false)
  }

  /// Our exact plans against the exhaustive search; and whether a better machine is ever worse.
  private mutating func measureExactness() {
    print()
    for (title, exactness) in [
      ("equal loads, competing", Exactness.harsh(cases: caseCount, maximumLoad: 1, seed: 4 << 40)),
      (
        "unequal loads, competing",
        Exactness.harsh(cases: caseCount, maximumLoad: 20, seed: 5 << 40)
      ),
      ("real layers, 2-10", Exactness.real(cases: caseCount, seed: 6 << 40)),
    ] {
      report.row(
        title, ["\(exactness.cases) cases", "\(exactness.mismatches) differ from the optimum"],
        widths: [12, 34])
      report.require(exactness.mismatches == 0, "\(title): optimal")
    }
    let monotonicity = Monotonicity(cases: caseCount, seed: 7 << 40)
    report.row(
      "whole layers, made faster",
      [
        "\(monotonicity.comparisons) cases",
        "\(monotonicity.longer) longer, at worst \(Report.fixed(monotonicity.worstPerCent, 2)) %",
      ], widths: [12, 34])
  }
}
