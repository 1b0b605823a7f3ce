import ArgumentParser

/// The commands about routing traces.
struct Trace: CommandGroup {
  static let configuration = CommandConfiguration(
    abstract: "Look at routing traces: which experts each token was routed to.",
    subcommands: [TraceStats.self, TraceShow.self])

  static let laterCommands = ["record"]

  func run() throws {
    throw ValidationError(
      "A command is missing; trace has \(Self.commandNames.joined(separator: ", ")).")
  }
}
