import ArgumentParser

/// What a command shows besides its result.
struct LookingOptions: ParsableArguments {
  @Flag(help: "Print one JSON object on standard output.")
  var json = false

  @Flag(help: "Print counts, speeds, time and memory on standard error.")
  var stats = false

  @Option(
    parsing: .unconditional, help: .init("error, warning, info or debug.", valueName: "level"))
  var logLevel: Console.Level = .info

  @Flag(help: "Print each message as one JSON object.")
  var logJson = false

  @Flag(help: "Use no color, as NO_COLOR in the environment also says.")
  var noColor = false

  @Option(
    parsing: .unconditional,
    help: .init("Draw what the lanes did as a picture (simulate).", valueName: "file"))
  var timelineSvg: String?

  @Option(
    parsing: .unconditional,
    help: .init("The same as a trace for Chrome or Perfetto (simulate).", valueName: "file"))
  var timelineChrome: String?

  @Option(
    parsing: .unconditional,
    help: .init(
      "Write which experts each token is routed to; packed where the name ends in .gz (chat, run).",
      valueName: "file"))
  var recordTrace: String?

  var given: [String] {
    [
      ("--timeline-svg", timelineSvg != nil), ("--timeline-chrome", timelineChrome != nil),
    ].filter(\.1).map(\.0)
  }

  /// The console that these options ask for.
  var console: Console {
    Console(level: logLevel, isJSON: logJson, usesColor: !noColor && Self.mayUseColor)
  }

  /// Whether messages go to a terminal that shows colors, and nobody has asked for none.
  static var mayUseColor: Bool {
    OutputStream.standardError.isTerminal && !Environment.hasNonEmpty("NO_COLOR")
      && Environment.value("TERM") != "dumb"
  }

  var drawsTimeline: Bool { timelineSvg != nil || timelineChrome != nil }

  /// The console, after one note about all given options that have no effect in this version, and
  /// one about a recording that this command does not make.
  func console(machine: MachineOptions?, records: Bool = false, draws: Bool = false) -> Console {
    let console = console
    if !records, recordTrace != nil {
      console.warn("--record-trace: no effect here; chat, run and trace record write traces.")
    }
    let cpuOnly = (machine?.later.given ?? []) + (draws ? [] : given)
    if !cpuOnly.isEmpty {
      console.warn(
        "\(cpuOnly.joined(separator: ", ")): no effect yet, since this version computes on the CPU "
          + "only.")
    }
    return console
  }
}

extension Console.Level: ExpressibleByArgument {}

/// A command with the options of looking; `--stats` ends it with its time and memory.
protocol LookingCommand: ParsableCommand {
  var looking: LookingOptions { get }
}
