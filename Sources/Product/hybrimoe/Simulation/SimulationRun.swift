import ExpertSimulation
import Experts
import OrderedJSON
import Pictures

/// One call of `simulate`: plays every system that was asked for, and prints the comparison.
struct SimulationRun {
  let command: Simulate

  init(_ command: Simulate) { self.command = command }

  func run(_ console: Console) throws {
    let input = try SimulationInput(command, catalog: ProfileCatalog())
    let progress = console.progress("Simulating")
    defer { progress.finish() }
    var results: [SimulationComparison.Result] = []
    let systems = command.system.systems
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

  private func play(
    _ system: SystemDescription, _ input: SimulationInput
  ) throws -> SimulationReport {
    var simulator = try Simulator(
      machine: input.machine, system: system, popularity: input.popularity,
      recordsTimeline: command.looking.drawsTimeline)
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
    if let timeline = simulator.timeline { try draw(timeline, system, input) }
    return report
  }

  private func draw(
    _ timeline: Timeline, _ system: SystemDescription, _ input: SimulationInput
  ) throws {
    let title = "\(input.machine.shape.title) on \(input.machine.profile.name)"
    if let path = command.looking.timelineSvg {
      let picture = TimelinePicture(
        title: title, subtitle: "\(system.scheduler.rawValue); \(input.title)")
      let file = try OutputFile(path: path)
      try file.write(picture.svg(timeline))
      try file.finish()
    }
    if let path = command.looking.timelineChrome {
      let file = try OutputFile(path: path)
      try ChromeTrace(title: title).write(timeline) { try file.write($0) }
      try file.finish()
    }
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
