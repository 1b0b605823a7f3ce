import CPUCompute
import DeviceCompute
import EmulatedDevice
import ExpertDirection
import ExpertScheduling
import Experts
import TestSupport
import Testing

@testable import HybridExperts

@Suite struct ReportTests {
  @Test(arguments: [SchedulerName.hybrimoe, .hybrimoePaper, .ktransformers, .adapmoe])
  func `a replay of the routing alone decides and counts the same`(_ name: SchedulerName) throws {
    let experts = MadeExperts(expertCount: 12)
    let system = SystemDescription(name, cacheRatio: 0.34)
    let served = try ServedLayers(experts, .init(seed: 2), system: system)
    var replay = try ExpertDirector(
      lanes: try experts.costs(), system: system, pieceBytes: 4096)
    for (number, step) in experts.steps([7, 1, 1, 1, 1, 4, 1, 1], seed: 6).enumerated() {
      _ = try served.run(step)
      for layer in 0..<experts.layerCount {
        var event = RoutingEvent(
          step: number, phase: step.phase, layer: layer, ids: step.ids[layer].map(Int.init),
          weights: step.weights[layer].map(Double.init),
          scores: step.scores[layer].map(Double.init))
        for later in layer + 1..<max(layer + 1, min(layer + 4, experts.layerCount)) {
          event.predicted.append(
            PredictedScores(layer: later, scores: step.scores[later].map(Double.init)))
        }
        _ = try replay.plan(event)
        replay.playPlan()
        replay.endLayer()
      }
      replay.endStep()
    }
    #expect(served.executor.report == replay.currentReport)
    let statistics = try served.executor.statistics()
    #expect(statistics.decode.hits == replay.report.decode.hits)
    #expect(statistics.linkBytes == replay.transferCounts.moved)
    #expect(statistics.decode.layers == 6 * experts.layerCount)
    #expect(statistics.prefill.activated > 0)
  }

  @Test func `measured and predicted lanes lie side by side`() throws {
    let experts = MadeExperts()
    let served = try ServedLayers(
      experts, .init(timing: .modelled(.init())),
      system: SystemDescription(.freetoken, cacheRatio: 0.25))
    for step in experts.steps([6, 1, 1, 1, 1], seed: 6) { _ = try served.run(step) }
    let times = try served.executor.laneTimes()
    #expect(times.layers.count == 5 * experts.layerCount)
    #expect(times.layers.allSatisfy { $0.measured > 0 && $0.predicted > 0 })
    #expect(times.medianRatio() ?? 0 > 0)
    for lane in Lane.allCases {
      #expect(times.measured.busyMicroseconds(on: lane) > 0)
      #expect(times.predicted.busyMicroseconds(on: lane) > 0)
    }
    // What the CPU is told to take is what it takes by a modelled clock.
    let decode = try served.executor.statistics().decode
    #expect(abs(decode.measured.cpu - decode.predicted.cpu) < 0.01 * decode.predicted.cpu)
  }

  @Test func `spans of old layers are dropped where nobody records`() {
    var times = LaneTimes(recordsTimeline: false)
    for number in 0..<2000 {
      let start = Double(10 * number)
      times.append(
        measured: .init(
          .hit, on: .gpu, start: start, end: start + 5, step: number, phase: .decode, layer: 0))
      times.append(
        .init(
          step: number, phase: .decode, layer: 0, start: start, predicted: 4, measured: 5))
    }
    #expect(times.measured.spans.count <= 2 * LaneTimes.keptLayers)
    #expect(times.measuredBusy[.decode]?.gpu == 10_000)
    #expect(times.medianRatio() == 1.25)
  }
}
