import ArgumentParser

/// The commands about routing traces.
struct Trace: CommandGroup {
  static let configuration = CommandConfiguration(
    abstract: "Look at routing traces: which experts each token was routed to.",
    subcommands: [TraceRecord.self, TraceShow.self])

  static let laterCommands: [String] = []

  func run() throws {
    throw ValidationError(
      "A command is missing; trace has \(Self.commandNames.joined(separator: ", ")).")
  }
}
