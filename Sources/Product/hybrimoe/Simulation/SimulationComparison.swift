import ExpertDirection
import ExpertSimulation
import Experts
import OrderedJSON

/// The systems that `simulate` played, beside what none can beat.
struct SimulationComparison {
  struct Result {
    var system: SystemDescription
    var report: DirectionReport
    var boundMilliseconds: [Phase: Double] = [:]
  }

  /// The first system again, with one thing changed.
  struct WhatIf {
    var change: hybrimoe.WhatIf
    var report: DirectionReport
  }

  let input: SimulationInput
  private(set) var results: [Result]
  var whatIfs: [WhatIf] = []

  init(_ input: SimulationInput, _ results: [Result]) {
    self.input = input
    self.results = results
    var context = 0
    for phase in Phase.allCases {
      let bound = HindsightBound(
        input.demands.filter { $0.phase == phase }, on: input.machine, context: context)
      context = input.demands.first { $0.phase == .prefill }?.tokens ?? 0
      guard bound.steps > 0 else { continue }
      for index in results.indices {
        let slots = results[index].system.allSlots(input.machine)
        self.results[index].boundMilliseconds[phase] =
          bound.microseconds(slots: slots) / 1000 / Double(bound.steps)
      }
    }
  }

  /// The phases that were played.
  var phases: [Phase] {
    Phase.allCases.filter { phase in results.contains { $0.report[phase].plans > 0 } }
  }

  var json: JSONValue {
    let machine = input.machine
    return .object([
      ("shape", .string(machine.shape.name)), ("machine", .string(machine.profile.name)),
      ("routing", .string(input.title)),
      ("seed", input.seed.map(JSONValue.unsigned) ?? .null),
      ("slotsPerLayer", .optional(results.first?.system.slots(experts: machine.expertCount))),
      ("results", .array(results.map(\.json))),
      (
        "whatIf",
        .array(
          whatIfs.map { change in
            .object([("change", .string(change.change.title)), ("report", change.report.json)])
          })
      ),
    ])
  }
}

extension SimulationComparison.Result {
  var json: JSONValue {
    let bounds = Phase.allCases.compactMap { phase in
      boundMilliseconds[phase].map { (phase.rawValue, JSONValue.double($0)) }
    }
    return .object(
      system.json + [("boundMilliseconds", .object(bounds)), ("report", report.json)])
  }
}
