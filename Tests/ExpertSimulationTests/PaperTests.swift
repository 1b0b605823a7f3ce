import ExpertCaching
import ExpertDirection
import ExpertScheduling
@testable import ExpertSimulation
import Experts
import OrderedJSON
import Placement
import RoutingTraces
import TestSupport
import Testing

@Suite struct `The paper's evaluation` {
  private func row(
    _ scheduler: SchedulerName, _ milliseconds: Double, prompt: Int = 32, phase: Phase = .decode
  ) -> PaperEvaluation.Row {
    .init(
      model: "m", cacheRatio: 0.25, phase: phase, promptTokens: prompt, scheduler: scheduler,
      milliseconds: milliseconds, boundMilliseconds: 5)
  }

  @Test func `means are means of the cells' ratios`() throws {
    let summary = PaperSummary([
      row(.ktransformers, 40), row(.hybrimoePaper, 20), row(.hybrimoe, 10),
      row(.ktransformers, 60, prompt: 128), row(.hybrimoePaper, 20, prompt: 128),
      row(.hybrimoe, 25, prompt: 128),
    ])
    let paper = try #require(
      summary.means.first { $0.scheduler == .hybrimoePaper && $0.phase == .decode })
    #expect(paper.speedUp == 2.5 && paper.published == 1.7 && paper.timesBound == 4)
    let ours = try #require(summary.comparisons.first { $0.phase == .decode })
    #expect(ours.meanSpeedUp == 1.4 && ours.worstSpeedUp == 0.8)
    #expect(ours.worst?.promptTokens == 128)
  }

  @Test func `the admission closest to the paper's MRS rates is named`() {
    func rates(_ admission: Admission, _ percent: Double) -> PaperEvaluation.HitRateRow {
      .init(
        model: "m", admission: admission, mrsPercent: percent, lruPercent: 40,
        published: .init(model: "m", mrsPercent: 50, lruPercent: 40))
    }
    #expect(PaperEvaluation.bestAdmission([rates(.forced, 45), rates(.bypass, 52)]) == .bypass)
    #expect(PaperEvaluation.bestAdmission([rates(.forced, 49), rates(.bypass, 52)]) == .forced)
    #expect(PaperEvaluation.bestAdmission([]) == nil)
  }

  @Test func `all cells are played, each beside its bound`() throws {
    let world = try SimulationWorld.shared.get()[0]
    var evaluation = PaperEvaluation(
      profile: world.machine.profile, shapes: [world.machine.shape]
    ) { _, _, _ in
      try SimulationWorld.shared.get()[0].sequence
    }
    evaluation.promptTokens = [12, 13]
    evaluation.cacheRatios = [0.25, 0.5]
    evaluation.decodeTokens = 8
    evaluation.checksPlans = true
    var progress: [Double] = []
    let rows = try evaluation.rows { progress.append($0) }
    #expect(rows.count == 2 * 2 * 2 * SchedulerName.allCases.count && progress == [0.5, 1])
    for row in rows { #expect(row.milliseconds >= row.boundMilliseconds - 1e-9, "\(row)") }
    // The ablation and the hit rates are of models that are not here.
    let results = try PaperResults(evaluation)
    #expect(results.ablation.isEmpty && results.hitRates.isEmpty)
    let json = try JSONValue(parsing: results.json.text)
    guard case .object(let members) = json else { return #expect(Bool(false)) }
    for key in ["rows", "mean", "ablation", "hitRates"] {
      #expect(members.contains { $0.0 == key })
    }
  }

  @Test func `the fit lowers its error and changes only what is free`() throws {
    var shape = try SimulationWorld.shared.get()[0].machine.shape
    shape.name = PublishedResults.ablationModel
    let start = try SimulationWorld.profile("paper", host: "xeon-5220r")
    let small = try SimulationWorld(prompt: 4, decode: 1).sequence
    var evaluation = PaperEvaluation(profile: start, shapes: [shape]) { _, _, _ in
      small
    }
    evaluation.decodeTokens = 2
    let fit = try PaperFit(evaluation)
    #expect(fit.error <= PaperFit.error(of: try evaluation.ablation()))
    var profile = fit.profile
    profile.gpu.expertMicroseconds = start.gpu.expertMicroseconds
    profile.gpu.layerMicroseconds = start.gpu.layerMicroseconds
    profile.host.cpu = start.host.cpu
    #expect(profile == start)
    #expect(try PaperFit(evaluation) == fit)
  }

  @Test func `each scheduler's name stands for its whole system`() {
    let paper = SystemDescription(.hybrimoePaper, cacheRatio: 0.25)
    #expect(paper.eviction == .mrs && paper.prefetching == .paper && !paper.fills)
    let ours = SystemDescription(.hybrimoe, cacheRatio: 0.25)
    #expect(ours.eviction == .auto && ours.prefetching == .impact && ours.fills)
    let baseline = SystemDescription(ablation: .baseline, cacheRatio: 0.25)
    #expect(baseline == SystemDescription(.ktransformers, cacheRatio: 0.25))
    #expect(SystemDescription(ablation: .all, cacheRatio: 0.25) == paper)
    #expect(SystemDescription(ablation: .scheduling, cacheRatio: 0.25).eviction == nil)
    #expect(SystemDescription(ablation: .caching, cacheRatio: 0.25).fills)
  }
}
