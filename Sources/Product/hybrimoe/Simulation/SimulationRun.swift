import ExpertDirection
import ExpertSimulation
import Experts
import OrderedJSON
import Placement

/// One call of `simulate`: plays every system that was asked for, and prints the comparison.
struct SimulationRun {
  let command: Simulate

  init(_ command: Simulate) { self.command = command }

  func run(_ console: Console) throws {
    let input = try SimulationInput(command, catalog: ProfileCatalog())
    let progress = console.progress("Simulating")
    defer { progress.finish() }
    var results: [SimulationComparison.Result] = []
    let systems = try command.system.systems(experts: input.machine.expertCount)
    warnOfMemory(systems, input, console)
    for (index, system) in systems.enumerated() {
      try system.validate(experts: input.machine.expertCount)
      results.append(.init(system: system, report: try play(system, input)))
      progress.update(index + 1, of: systems.count)
    }
    var comparison = SimulationComparison(input, results)
    if systems.count == 1, input.isInMemory { comparison.whatIfs = try whatIfs(input, systems[0]) }
    progress.finish()
    try OutputStream.standardOutput.write(
      command.looking.json ? comparison.json.text + "\n" : comparison.text)
  }

  // The costs know nothing of memory, so that a cache which does not fit can be played: for looking
  // ahead, but not without a word.
  private func warnOfMemory(
    _ systems: [SystemDescription], _ input: SimulationInput, _ console: Console
  ) {
    guard let system = systems.first else { return }
    let machine = input.machine
    let slots = system.slots(experts: machine.expertCount)
    var request = PlacementRequest(
      machine: machine.profile, shape: machine.shape, context: max(1, input.tokens))
    request.slots = .perLayer(slots)
    let plan = PlacementPlanner.plan(request)
    guard !plan.reductions.isEmpty else { return }
    let words = PlacementExplanation(plan).reductions.joined(separator: " ")
    console.warn(
      "\(machine.profile.name) has not the memory for this run with \(slots) of "
        + "\(machine.expertCount) experts a layer on the GPU; it is simulated as if it had. "
        + words)
  }

  private func play(
    _ system: SystemDescription, _ input: SimulationInput
  ) throws -> DirectionReport {
    var simulator = try Simulator(
      machine: input.machine, system: system, popularity: input.popularity,
      recordsTimeline: !command.timeline.files.isEmpty)
    simulator.checksPlans = command.check
    let plans = try command.plans.map { try OutputFile(path: $0) }
    if let plans {
      // Lines are gathered, because a call of the system for each would take longer than the rest.
      var lines = ""
      simulator.onPlan = { planned in
        lines += planned.json.text + "\n"
        if lines.utf8.count > 1 << 20 {
          try plans.write(lines)
          lines = ""
        }
      }
      try input.forEach { try simulator.play($0) }
      try plans.write(lines)
      try plans.finish()
    } else {
      try input.forEach { try simulator.play($0) }
    }
    let report = simulator.finish()
    if let timeline = simulator.timeline {
      try command.timeline.draw(
        timeline, title: "\(input.machine.shape.title) on \(input.machine.profile.name)",
        subtitle: "\(system.scheduler.rawValue); \(input.title)")
    }
    return report
  }

  // The same system where one thing is better: what would help most.
  private func whatIfs(
    _ input: SimulationInput, _ system: SystemDescription
  ) throws -> [SimulationComparison.WhatIf] {
    try WhatIf.allCases.map { change in
      var profile = input.machine.profile
      var system = system
      change.apply(to: &profile, &system, experts: input.machine.expertCount)
      var simulator = try Simulator(
        machine: SimulatedMachine(profile: profile, shape: input.machine.shape), system: system,
        popularity: input.popularity)
      try input.forEach { try simulator.play($0) }
      return .init(change: change, report: simulator.finish())
    }
  }
}
