import ArgumentParser

/// The commands about routing traces.
struct Trace: CommandGroup {
  static let configuration = CommandConfiguration(
    abstract:
      "Record, make, measure and show routing traces: which experts each token was routed to.",
    subcommands: [TraceRecord.self, TraceSynth.self, TraceStats.self, TraceShow.self])

  static let laterCommands: [String] = []

  func run() throws {
    throw ValidationError(
      "A command is missing; trace has \(Self.commandNames.joined(separator: ", ")).")
  }
}
