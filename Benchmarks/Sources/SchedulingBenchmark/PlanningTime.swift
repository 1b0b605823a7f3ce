import CAllocationCount
import ExpertScheduling
import Experts
import TestSupport

/// How long planning takes and how often it allocates, once the scheduler has seen the cases.
struct PlanningTime {
  /// Of a plan, on average over the cases: in the median round over all of them, or, where a round
  /// is so long that other work interrupts it, from the median time of each case.
  var nanoseconds = 0.0
  /// Of the case that takes longest, in its median repetition; the clock's own time included.
  var slowestCaseNanoseconds = 0.0
  var allocations = 0
  /// The sum of all makespans: the work that was timed.
  var checksum = 0.0

  private static let longRoundNanoseconds = 100_000.0

  init(_ cases: [LayerCase], rounds: Int, _ plan: (LayerCase) -> Double) {
    for layerCase in cases { checksum += plan(layerCase) }
    var times: [Double] = []
    times.reserveCapacity(rounds)
    let allocationsBefore = allocation_count()
    for _ in 0..<rounds {
      times.append(
        Self.nanoseconds { for layerCase in cases { checksum += plan(layerCase) } })
    }
    allocations = Int(allocation_count() - allocationsBefore)
    // Case by case, but still in turn: repeating one case would teach it to the processor.
    var timesOfCases = cases.map { _ in [Double]() }
    for _ in 0..<21 {
      for (place, layerCase) in cases.enumerated() {
        timesOfCases[place].append(Self.nanoseconds { checksum += plan(layerCase) })
      }
    }
    let medians = timesOfCases.map(Self.median)
    slowestCaseNanoseconds = medians.max() ?? 0
    let round = Self.median(times)
    nanoseconds =
      (round < Self.longRoundNanoseconds ? round : medians.reduce(0, +)) / Double(cases.count)
  }

  private static func nanoseconds(_ body: () -> Void) -> Double {
    let duration = ContinuousClock().measure(body).components
    return Double(duration.seconds) * 1e9 + Double(duration.attoseconds) / 1e9
  }

  private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
}

/// The cases that the time limits are about.
enum PlanningCases {
  private static let count = 64

  /// Batch 1: each expert has one token.
  static func decode(activated: Int, seed: UInt64) -> [LayerCase] {
    var world = LayerWorld(seed: seed)
    return (0..<count).map { _ in
      let shape = LayerShape.published[0]
      return world.layerCase(
        world.costs(shape), loads: Array(repeating: 1, count: activated), phase: .decode)
    }
  }

  /// A prompt that activates exactly so many experts, of shapes that have as many.
  static func prefill(activated: Int, seed: UInt64) -> [LayerCase] {
    var world = LayerWorld(seed: seed)
    var cases: [LayerCase] = []
    while cases.count < count {
      let shape = LayerShape.published[cases.count % 2 == 0 ? 4 : 2]
      let tokens = [128, 512, 2048][cases.count % 3]
      let loads = world.loads(shape, tokens: tokens)
      guard loads.count >= min(activated, shape.experts - 8) else { continue }
      var padded = Array(loads.prefix(activated))
      while padded.count < activated { padded.append(1) }
      cases.append(world.layerCase(world.costs(shape), loads: padded))
    }
    return cases
  }

  /// Two to ten experts of real layers.
  static func small(seed: UInt64) -> [LayerCase] {
    (0..<count).map {
      PlanQuality.smallCase(LayerShape.published[$0 % 6], seed: seed << 32 &+ UInt64($0))
    }
  }

  /// Lanes that compete closely, so that every search runs to its limit.
  static func harsh(activated: Int, seed: UInt64) -> [LayerCase] {
    var random = SeededGenerator(seed: seed)
    return (0..<count).map { _ in
      SmallWorlds.random(count: activated, maximumLoad: 20, &random)
    }
  }
}
