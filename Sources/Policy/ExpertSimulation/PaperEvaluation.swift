import ExpertCaching
import ExpertDirection
import ExpertScheduling
import Experts
import Placement

/// The evaluation of the paper (arXiv 2504.05897, section VI), simulated: three models, three cache
/// ratios, four prompts, all systems, its ablation and its hit rates.
///
/// All cells use the same machine. What of its figures the paper gives is taken from there; the few
/// that it does not give are fitted to its ablation table alone (`PaperFit`), so the speed-ups and
/// the other models are predictions.
public struct PaperEvaluation {
  public var profile: MachineProfile
  /// The models of `PublishedResults.models`, in that order.
  public var shapes: [ModelShape]
  public var schedulers = SchedulerName.allCases
  public var cacheRatios = PublishedResults.cacheRatios
  public var promptTokens = PublishedResults.promptTokens
  /// Decode steps after each prompt; the paper does not say how many it measured.
  public var decodeTokens = 64
  /// Whether every plan is checked.
  public var checksPlans = false
  /// Changes every system before it is played.
  public var adjust: (inout SystemDescription) -> Void = { _ in }
  /// A sequence of a model, with so many prompt and decode tokens.
  public var sequence: (ModelShape, _ prompt: Int, _ decode: Int) throws -> SimulatedSequence

  public init(
    profile: MachineProfile, shapes: [ModelShape],
    sequence: @escaping (ModelShape, Int, Int) throws -> SimulatedSequence
  ) {
    self.profile = profile
    self.shapes = shapes
    self.sequence = sequence
  }

  /// One cell of the evaluation.
  public struct Row: Equatable, Sendable {
    public var model: String
    public var cacheRatio: Double
    public var phase: Phase
    public var promptTokens: Int
    public var scheduler: SchedulerName
    /// Of the whole prefill, or of a decode step on average.
    public var milliseconds: Double
    /// What no system can beat in this cell (`HindsightBound`).
    public var boundMilliseconds: Double
    /// In a prefill: what no system can beat whose slots hold the most popular experts when the
    /// prompt comes, as all do here but `llamacpp`. Tighter than `boundMilliseconds`, which may
    /// choose the slots' first contents in hindsight.
    public var startBoundMilliseconds: Double?
  }

  /// Plays all cells.
  ///
  /// - Parameter progress: called with the part that is done, from 0 to 1.
  public func rows(progress: (Double) throws -> Void = { _ in }) throws -> [Row] {
    var rows: [Row] = []
    var done = 0
    for shape in shapes {
      let machine = try SimulatedMachine(profile: profile, shape: shape)
      for prompt in promptTokens {
        let sequence = try sequence(shape, prompt, decodeTokens)
        for phase in Phase.allCases {
          let bound = Self.bound(of: sequence, phase: phase, prompt: prompt, machine)
          for ratio in cacheRatios {
            let slots = SystemDescription(.hybrimoe, cacheRatio: ratio).allSlots(machine)
            let milliseconds = bound.microseconds(slots: slots) / 1000 / Double(max(1, bound.steps))
            let fromStart =
              phase == .prefill ? startBound(of: sequence, ratio: ratio, machine) : nil
            for scheduler in schedulers {
              rows.append(
                Row(
                  model: shape.name, cacheRatio: ratio, phase: phase, promptTokens: prompt,
                  scheduler: scheduler, milliseconds: 0, boundMilliseconds: milliseconds,
                  startBoundMilliseconds: scheduler == .llamacpp ? nil : fromStart))
            }
          }
        }
        try measure(&rows, sequence, shape: shape, prompt: prompt, machine)
        done += 1
        try progress(Double(done) / Double(shapes.count * promptTokens.count))
      }
    }
    return rows
  }

  private func measure(
    _ rows: inout [Row], _ sequence: SimulatedSequence, shape: ModelShape, prompt: Int,
    _ machine: SimulatedMachine
  ) throws {
    for ratio in cacheRatios {
      for scheduler in schedulers {
        var system = SystemDescription(scheduler, cacheRatio: ratio)
        adjust(&system)
        let report = try run(system, sequence, machine)
        for index in rows.indices.reversed() {
          let row = rows[index]
          guard row.model == shape.name, row.promptTokens == prompt else { break }
          guard row.cacheRatio == ratio, row.scheduler == scheduler else { continue }
          rows[index].milliseconds = report[row.phase].meanMilliseconds
        }
      }
    }
  }

  /// Plays one system.
  func run(
    _ system: SystemDescription, _ sequence: SimulatedSequence, _ machine: SimulatedMachine
  ) throws -> DirectionReport {
    var simulator = try Simulator(
      machine: machine, system: system, popularity: sequence.popularity)
    simulator.checksPlans = checksPlans
    for event in sequence.events { try simulator.play(event) }
    return simulator.finish()
  }

  private static func bound(
    of sequence: SimulatedSequence, phase: Phase, prompt: Int, _ machine: SimulatedMachine
  ) -> HindsightBound {
    let demands = sequence.events.filter { $0.phase == phase }
      .map { LayerDemand($0, activated: machine.activatedCount) }
    return HindsightBound(demands, on: machine, context: phase == .prefill ? 0 : prompt)
  }

  private func startBound(
    of sequence: SimulatedSequence, ratio: Double, _ machine: SimulatedMachine
  ) -> Double {
    let demands = sequence.events.filter { $0.phase == .prefill }
      .map { LayerDemand($0, activated: machine.activatedCount) }
    let residents = SystemDescription(.hybrimoe, cacheRatio: ratio)
      .residentsByPopularity(machine, sequence.popularity)
    let bound = HindsightBound(demands, on: machine, residents: residents)
    return bound.microsecondsFromResidents() / 1000
  }
}
