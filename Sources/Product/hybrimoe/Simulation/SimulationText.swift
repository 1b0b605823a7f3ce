import ExpertDirection
import ExpertPrefetching
import ExpertSimulation
import Experts

// What `simulate` says to people.
extension SimulationComparison {
  var text: String {
    let machine = input.machine
    let slots = results.first?.system.slots(experts: machine.expertCount) ?? 0
    var text = TerminalText.wrapped("\(machine.shape.title) on \(machine.profile.gpu.title)")
    text +=
      TerminalText.wrapped(
        "\(HumanUnits.counted(machine.layerCount, "MoE layer")) of \(machine.expertCount) experts, "
          + "\(machine.activatedCount) a token; slots for \(slots) a layer; \(input.title)") + "\n"
    if results.count == 1, let result = results.first {
      for phase in phases { text += describe(result, phase) }
      if let counts = result.report.prefetch?.total { text += Self.describe(counts) }
      return text + advice
    }
    for phase in phases { text += table(phase) + "\n" }
    return text
  }

  // MARK: One system

  private func describe(_ result: Result, _ phase: Phase) -> String {
    let figures = result.report[phase]
    let bound = result.boundMilliseconds[phase] ?? 0
    let mean = figures.meanMilliseconds
    var text = "\(phase.rawValue), \(result.system.scheduler.rawValue): "
    text +=
      phase == .prefill && figures.stepMicroseconds.count == 1
      ? "\(milliseconds(mean))" : "\(milliseconds(mean)) a step"
    text += ", \(HumanUnits.fixed(figures.tokensPerSecond, 1)) tokens/s\n"
    if bound > 0 {
      text +=
        "  bound    \(milliseconds(bound)): no system can be faster; this one takes "
        + "\(HumanUnits.fixed(mean / bound, 2)) times that\n"
    }
    text += "  time     \(percent(figures.denseMicroseconds, figures.totalMicroseconds)) dense part"
    text += " on the GPU, \(percent(figures.makespanMicroseconds, figures.totalMicroseconds))"
    text += " experts; lanes busy: " + lanes(figures) + "\n"
    return Self.wrapped(text + experts(figures)) + "\n"
  }

  // What each line tells stands before its words.
  private static func wrapped(_ text: String) -> String {
    text.split(separator: "\n").map { TerminalText.wrapped(String($0), indent: 11) }.joined()
  }

  private func experts(_ figures: DirectionReport.PhaseFigures) -> String {
    func share(_ count: Int) -> String { percent(Double(count), Double(figures.activated)) }
    // Where they were and who computed them are two ways to count the same experts, so each is a whole.
    var text =
      "  experts  \(share(figures.hits)) resident, \(share(figures.prefetched)) copied ahead, "
    text += "\(share(figures.misses)) missing as their layer began"
    text += figures.late > 0 ? " (\(share(figures.late)) on their way)\n" : "\n"
    text += "  of all   \(figures.computed.words)\n"
    text += "  copies   \(figures.copiedOnDemand) on demand, \(figures.copiedAhead) ahead, "
    text += "\(figures.filled) afterwards; \(HumanUnits.bytes(figures.linkBytes))\n"
    text +=
      "  plans    \(figures.plans); together \(milliseconds(figures.makespanMicroseconds / 1000))"
    return text
      + ", at least \(milliseconds(figures.boundMicroseconds / 1000)) for what was resident\n"
  }

  private static func describe(_ counts: PrefetchCounts) -> String {
    "prefetches: \(counts.issued) issued, \(counts.useful) useful, \(counts.late) late, "
      + "\(counts.redundant) redundant, \(counts.cancelled) cancelled; "
      + "\(HumanUnits.bytes(counts.byteCount)) arrived\n\n"
  }

  private var advice: String {
    guard let base = results.first?.report, let phase = phases.last, !whatIfs.isEmpty else {
      return ""
    }
    let time = base[phase].meanMilliseconds
    let sorted = whatIfs.map { ($0, 1 - $0.report[phase].meanMilliseconds / time) }
      .sorted { $0.1 > $1.1 }
    let words = sorted.map { whatIf, gain in
      "  \(whatIf.change.title): \(milliseconds(whatIf.report[phase].meanMilliseconds)) "
        + "(\(HumanUnits.fixed(gain * 100, 0)) % less)\n"
    }
    return "what would help most in \(phase.rawValue)\n" + words.joined()
  }

  // MARK: Several systems

  private func table(_ phase: Phase) -> String {
    var table = TextTable([
      (phase.rawValue, .left), ("ms", .right), ("tokens/s", .right), ("x bound", .right),
      ("hits", .right), ("ahead", .right), ("missed", .right), ("cpu", .right), ("gpu", .right),
      ("link", .right),
    ])
    for result in results {
      let figures = result.report[phase]
      let activated = Double(figures.activated)
      let bound = result.boundMilliseconds[phase] ?? 0
      table.add(
        result.system.scheduler.rawValue, HumanUnits.fixed(figures.meanMilliseconds, 1),
        HumanUnits.fixed(figures.tokensPerSecond, 1),
        bound > 0 ? HumanUnits.fixed(figures.meanMilliseconds / bound, 2) : "",
        percent(Double(figures.hits), activated), percent(Double(figures.prefetched), activated),
        percent(Double(figures.misses), activated), percent(figures.busyShare(of: .cpu), 1),
        percent(figures.busyShare(of: .gpu), 1), percent(figures.busyShare(of: .link), 1))
    }
    return table.text
      + TerminalText.wrapped(
        "hits, ahead, missed: where activated experts were as their layer began; cpu, gpu, link: how much "
          + "of the time each lane was at work")
  }

  private func lanes(_ figures: DirectionReport.PhaseFigures) -> String {
    Lane.allCases.map { "\($0.rawValue) \(percent(figures.busyShare(of: $0), 1))" }
      .joined(separator: ", ")
  }

  private func percent(_ part: Double, _ whole: Double) -> String {
    whole > 0 ? HumanUnits.fixed(100 * part / whole, 0) + " %" : "0 %"
  }

  private func milliseconds(_ value: Double) -> String { HumanUnits.fixed(value, 1) + " ms" }
}
