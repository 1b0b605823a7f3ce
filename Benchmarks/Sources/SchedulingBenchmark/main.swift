// Planning time, allocations and plan quality of the scheduler:
//   swift run -c release --package-path Benchmarks SchedulingBenchmark [cases]

import ExpertScheduling
import Experts
import Glibc
import TestSupport

func firstLine(_ command: String) -> String {
  guard let pipe = popen(command, "r") else { return "?" }
  defer { pclose(pipe) }
  var buffer = [CChar](repeating: 0, count: 256)
  guard fgets(&buffer, 256, pipe) != nil else { return "?" }
  return String(decoding: buffer.prefix { $0 != 0 && $0 != 10 }.map(UInt8.init), as: UTF8.self)
}

func padded(_ text: String, _ width: Int) -> String {
  text + String(repeating: " ", count: max(0, width - text.count))
}

func fixed(_ value: Double, _ digits: Int) -> String {
  let scale = (0..<digits).reduce(1.0) { value, _ in value * 10 }
  return "\((value * scale).rounded() / scale)"
}

let caseCount = CommandLine.arguments.count > 1 ? Int(CommandLine.arguments[1]) ?? 1000 : 1000

print("machine  \(firstLine("grep -m1 'model name' /proc/cpuinfo | cut -d: -f2-"))")
print("commit   \(firstLine("git rev-parse --short HEAD"))")
print()
print("planning                           median ns  slowest case  allocations  checksum")
for (title, cases, rounds) in [
  ("decode, 6 activated", PlanningCases.decode(activated: 6, seed: 1, count: 64), 2000),
  ("decode, 8 activated", PlanningCases.decode(activated: 8, seed: 2, count: 64), 2000),
  ("prefill, 64 activated", PlanningCases.prefill(activated: 64, seed: 3, count: 64), 100),
  ("prefill, 128 activated", PlanningCases.prefill(activated: 128, seed: 4, count: 64), 100),
  ("prefill, 256 activated", PlanningCases.prefill(activated: 248, seed: 5, count: 64), 50),
  ("few unequal loads, 2-10", PlanningCases.small(seed: 6, count: 64), 500),
  ("competing lanes, 16", PlanningCases.harsh(activated: 16, seed: 7, count: 64), 50),
  ("competing lanes, 24", PlanningCases.harsh(activated: 24, seed: 8, count: 64), 50),
  ("competing lanes, 128", PlanningCases.harsh(activated: 128, seed: 9, count: 64), 50),
] {
  for isBrief in [false, true] {
    var scheduler = HybridScheduler()
    var plan = LayerPlan()
    let time = PlanningTime(cases, rounds: rounds) { layerCase in
      if isBrief { return scheduler.makespan(of: layerCase) }
      scheduler.schedule(layerCase, into: &plan)
      return plan.makespan
    }
    print(
      padded(title + (isBrief ? ", makespan" : ""), 34),
      padded(fixed(time.medianNanoseconds, 0), 9),
      padded(fixed(time.slowestCaseNanoseconds, 0), 13),
      padded("\(time.allocations)", 12), fixed(time.checksum, 0))
  }
}

print()
print("without the exact solver: excess over the optimum (up to 10 experts) or over the bound")
print(
  "                          cases   mean %  worst %  optimal  bound: mean %  worst %  bad  slower  worst seed"
)
func report(_ name: String, _ quality: PlanQuality) {
  print(
    padded(name, 25), padded("\(quality.cases)", 7),
    padded(fixed(quality.meanExcess * 100, 3), 8), padded(fixed(quality.worstExcess * 100, 2), 8),
    padded("\(quality.optimal)", 8), padded(fixed(quality.meanBoundGap * 100, 2), 14),
    padded(fixed(quality.worstBoundGap * 100, 2), 8), padded("\(quality.invalid)", 4),
    padded("\(quality.slowerThanAnother)", 7), quality.worstSeed)
}

for (index, shape) in LayerShape.published.enumerated() {
  let seed = UInt64(index) << 32
  report(shape.name + ", 2-10", .small(shape, cases: caseCount, seed: seed))
  guard shape.experts > 10 else { continue }
  report(shape.name + ", all", .large(shape, cases: caseCount / 5, seed: seed))
  report(
    "  with exact solver", .large(shape, cases: caseCount / 5, seed: seed, usesExactSolver: true))
}
report("harsh, 2-10", .harsh(cases: caseCount, counts: 2...10, seed: 1 << 40))
report("harsh, 11-24", .harsh(cases: caseCount / 2, counts: 11...24, seed: 2 << 40))
report(
  "  with exact solver",
  .harsh(cases: caseCount / 2, counts: 11...24, seed: 2 << 40, usesExactSolver: true))
report("harsh, 25-128", .harsh(cases: caseCount / 2, counts: 25...128, seed: 3 << 40))

print()
print("with the exact solver, up to 10 experts, against the exhaustive search")
for (name, exactness) in [
  ("equal loads, harsh", Exactness.harsh(cases: caseCount, maximumLoad: 1, seed: 4 << 40)),
  ("unequal loads, harsh", Exactness.harsh(cases: caseCount, maximumLoad: 20, seed: 5 << 40)),
  ("real shapes", Exactness.real(cases: caseCount, seed: 6 << 40)),
] {
  print(padded(name, 25), "\(exactness.cases) cases, \(exactness.mismatches) not optimal")
}

print()
let monotonicity = Monotonicity(cases: caseCount, seed: 7 << 40)
print(
  "a tenth faster lane or one more resident, whole layers: \(monotonicity.comparisons) comparisons,",
  "\(monotonicity.longer) longer, at worst by \(fixed(monotonicity.worstPerCent, 4)) %")
