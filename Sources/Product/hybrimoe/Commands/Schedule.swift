import ArgumentParser
import ExpertScheduling
import Glibc
import OrderedJSON

/// Plans one layer: a case in, operations out.
struct Schedule: LookingCommand {
  static let configuration = CommandConfiguration(
    abstract: "Plan one layer: which expert is computed where, and which are copied.",
    discussion: """
      Reads one case as JSON from standard input, for example
        {"loads":{"A":1,"B":1,"C":3,"D":4,"E":1},"resident":["D","E"],"scheduler":"hybrimoe",
         "costs":{"cpuPerToken":1,"gpuPerExpert":1,"linkPerExpert":3,"sharedOnGPU":2}}
      and prints its operations, makespan and lower bound as JSON. Times are in any unit.

      Needed are loads (tokens of each activated expert) and costs with cpuPerToken, gpuPerExpert and \
      linkPerExpert. Further costs, 0 where left out: cpuFirst, cpuPerExpert, gpuPerLaunch, \
      gpuPerToken beyond gpuKnee tokens, linkPerExpertAlone (where the CPU computes nothing; as \
      linkPerExpert where left out), sharedOnGPU, handshake. Also: resident (names), arriving (names \
      with the time at which their copy is there), cpuFree, gpuFree, linkFree (when each lane is \
      free), phase (prefill or decode; decode where every load is 1), scheduler \
      (\(SchedulerName.allCases.map(\.rawValue).joined(separator: ", "))).
      """)

  @OptionGroup(title: "Looking") var looking: LookingOptions

  func run() throws {
    let console = looking.console(machine: nil)
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
    try OutputStream.standardOutput.write(request.answer(request.plan()).text + "\n")
  }
}
