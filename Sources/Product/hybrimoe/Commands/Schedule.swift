import ArgumentParser
import Experts
import ExpertScheduling
import Glibc
import OrderedJSON

/// Plans one layer: a case in, operations out.
struct Schedule: LookingCommand {
  static let configuration = CommandConfiguration(
    abstract: "Plan one layer: which expert is computed where, and which are copied.",
    usage: "hybrimoe schedule [<options>] < case.json",
    discussion: """
      Reads one case as JSON from standard input, for example
        {"loads":{"A":1,"B":1,"C":3,"D":4,"E":1},"resident":["D","E"],
         "costs":{"cpuPerToken":1,"gpuPerExpert":1,"linkPerExpert":3}}
      and prints its operations, makespan and lower bound as JSON. Times are in any unit; pictures \
      call it a microsecond.

      Needed are loads (tokens of each activated expert) and costs with cpuPerToken, gpuPerExpert and \
      linkPerExpert. Further costs, 0 where left out: cpuFirst, cpuPerExpert, gpuPerLaunch, \
      gpuPerToken beyond gpuKnee tokens, linkPerExpertAlone (where the CPU computes nothing; as \
      linkPerExpert where left out), sharedOnGPU, handshake. Also: resident (names), arriving (names \
      with the time at which their copy is there), cpuFree, gpuFree, linkFree (when each lane is \
      free), phase (prefill or decode; decode where every load is 1), scheduler \
      (\(SchedulerName.allCases.map(\.rawValue).joined(separator: ", "))).
      """)

  @OptionGroup(title: "Looking") var looking: LookingOptions
  @OptionGroup(title: "Looking") var timeline: TimelineOptions

  func validate() throws { try OutputChoice.check(timeline.files) }

  func run() throws {
    let console = looking.console
    if isatty(0) == 1 { console.note("Reading one case as JSON; end it with Ctrl-D.") }
    let text = try InputFile.description("-")
    let request: ScheduleRequest
    do {
      request = try ScheduleRequest(parsing: text)
    } catch {
      throw CommandFailure(
        "The case on standard input cannot be planned: \(error). "
          + "'hybrimoe schedule --help' describes what a case is.")
    }
    let plan = request.plan()
    try timeline.draw(
      Timeline(plan, of: request.layerCase),
      title: "One layer, planned by \(request.scheduler.rawValue)",
      subtitle: request.legend)
    try OutputStream.standardOutput.write(request.answer(plan).text + "\n")
  }
}

extension ScheduleRequest {
  /// Which expert the pictures call by which number: they know no names.
  fileprivate var legend: String {
    names.enumerated().map { "\($0.offset) is \(TerminalText.safe($0.element, width: 20))" }
      .joined(separator: ", ")
  }
}

extension Timeline {
  /// A plan as what the lanes would do.
  init(_ plan: LayerPlan, of layerCase: LayerCase) {
    self.init()
    for operation in plan.operations {
      var expert: Int?
      var kind = Kind.shared
      if case .expert(let index) = operation.subject {
        expert = index
        let isResident = layerCase.experts[index].residency == .resident
        switch operation.lane {
        case .cpu: kind = isResident ? .stolen : .missOnCPU
        case .gpu: kind = isResident ? .hit : .missOnGPU
        case .link: kind = .onDemandCopy
        }
      }
      append(
        Span(
          kind, on: operation.lane, start: operation.start, end: operation.end, step: 0,
          phase: layerCase.phase, layer: 0, expert: expert))
    }
  }
}
