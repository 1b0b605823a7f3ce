import ArgumentParser
import RoutingTraces

/// Tells what is in a routing trace.
struct TraceShow: LookingCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show what a routing trace holds and how its routing behaves.",
    usage: "hybrimoe trace show <file> [<options>]")

  @Argument(help: .init("A trace, plain or .gz; - reads standard input.", valueName: "file"))
  var path: String

  @Flag(help: "Take the whole steps before damage instead of failing.")
  var recover = false

  @OptionGroup(title: "Looking") var looking: LookingOptions

  func run() throws {
    let console = looking.console
    let trace = try TraceFile(path: path, isRecovering: recover)
    var summary = TraceSummary(trace.header)
    while let event = try trace.next() { summary.add(event) }
    summary.finish()
    if let damage = trace.damage {
      console.warn(
        "\(trace.name): \(damage). The \(trace.stepCount) whole steps before it are shown, and "
          + "\(trace.droppedEventCount) events of a step that is not whole are left out.")
    }
    let report = TraceReport(summary: summary, damage: trace.damage)
    try OutputStream.standardOutput.write(looking.json ? report.json.text + "\n" : report.text)
  }
}
