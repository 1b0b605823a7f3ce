import ArgumentParser
import Experts
import Pictures

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

  /// The console that these options ask for.
  var console: Console {
    Console(level: logLevel, isJSON: logJson, usesColor: !noColor && Self.mayUseColor)
  }

  /// Whether messages go to a terminal that shows colors, and nobody has asked for none.
  static var mayUseColor: Bool {
    OutputStream.standardError.isTerminal && !Environment.hasNonEmpty("NO_COLOR")
      && !Environment.hasDumbTerminal
  }
}

/// Pictures of what the lanes did, for commands that have lanes.
struct TimelineOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: .init("Draw what the lanes did as a picture.", valueName: "file"))
  var timelineSvg: String?

  @Option(
    parsing: .unconditional,
    help: .init("The same as a trace for Chrome or Perfetto.", valueName: "file"))
  var timelineChrome: String?

  /// The files to write, by option.
  var files: [(option: String, path: String)] {
    [("--timeline-svg", timelineSvg), ("--timeline-chrome", timelineChrome)].compactMap {
      option, path in path.map { (option, $0) }
    }
  }

  var given: [String] { files.map(\.option) }

  /// Creates the files, or empties them: a run of hours must not end with a file that cannot be written.
  ///
  /// - Throws: `CommandFailure` with the system's reason.
  func create() throws {
    for file in files { _ = try OutputFile(path: file.path) }
  }

  /// Writes the pictures that are asked for.
  ///
  /// - Parameter predicted: what plans had expected of the same run.
  func draw(
    _ timeline: Timeline, predicted: Timeline? = nil, title: String, subtitle: String
  ) throws {
    if let path = timelineSvg {
      let file = try OutputFile(path: path)
      try file.write(
        TimelinePicture(title: title, subtitle: subtitle).svg(timeline, predicted: predicted))
      try file.finish()
    }
    if let path = timelineChrome {
      let file = try OutputFile(path: path)
      try ChromeTrace(title: title).write(timeline, predicted: predicted) { try file.write($0) }
      try file.finish()
    }
  }
}

/// What a generation writes about itself.
struct RecordingOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: .init(
      "Write which experts each token is routed to; packed where the name ends in .gz.",
      valueName: "file"))
  var recordTrace: String?

  @OptionGroup var timeline: TimelineOptions

  func validate() throws {
    try OutputChoice.check(timeline.files, input: recordTrace.map { ("--record-trace", $0) })
  }
}

extension Console.Level: ExpressibleByArgument {}

/// A command with the options of looking; `--stats` ends it with its time and memory.
protocol LookingCommand: ParsableCommand {
  var looking: LookingOptions { get }
}
