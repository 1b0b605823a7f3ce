import ArgumentParser
import Experts
import OrderedJSON
import RoutingTraces

/// Makes a routing trace from a seed.
struct TraceSynth: LookingCommand {
  static let configuration = CommandConfiguration(
    commandName: "synth",
    abstract: "Make a routing trace from a seed, as a known model's router would.",
    usage: "hybrimoe trace synth [<options>]",
    discussion: """
      A shape's numbers can be changed one by one; without --shape, --layers, --experts and \
      --activated are needed. How the router behaves is a data file of the shape's name, or a \
      default. The same seed gives the same routing on every machine, with or without scores and \
      predictions.
      """)

  @OptionGroup(title: "Routing") var routing: SyntheticRoutingOptions
  @OptionGroup(title: "Looking") var looking: LookingOptions

  @Option(parsing: .unconditional, help: .init("Tokens of each prompt.", valueName: "tokens"))
  var promptTokens = 128

  @Option(parsing: .unconditional, help: .init("Tokens of each answer.", valueName: "tokens"))
  var decodeTokens = 256

  @Option(
    parsing: .unconditional,
    help: .init("Prompts with answers, one after the other.", valueName: "count"))
  var sequences = 4

  @Flag(help: "Leave out the router's scores, most of the file.")
  var noScores = false

  @Flag(help: "Leave out what each layer foresees of the next.")
  var noPredictions = false

  @Option(
    name: [.short, .long], parsing: .unconditional,
    help: .init(
      "The trace; packed where the name ends in .gz (default: standard output).",
      valueName: "file"))
  var output = "-"

  private var amount: SyntheticRouting.Amount {
    var amount = SyntheticRouting.Amount(
      sequences: sequences, promptTokens: promptTokens, decodeTokens: decodeTokens)
    amount.hasScores = !noScores
    amount.hasPredictions = !noPredictions
    return amount
  }

  func run() throws {
    guard output != "-" || !looking.json else {
      throw ValidationError("With --json, standard output is taken; name a file with --output.")
    }
    let console = looking.console
    var source: SyntheticRouting
    do {
      source = try routing.source(amount)
    } catch let error as SyntheticRoutingError {
      throw ValidationError("\(error).")
    }
    let file = try OutputFile(path: output)
    var text: [UInt8] = []
    var writer = try TraceWriter(source.header, to: &text)
    let progress = console.progress("Writing the trace")
    defer { progress.finish() }
    var events = 0
    while let event = source.next() {
      try writer.append(event, to: &text)
      events += 1
      // Enough to make the file's calls few, little enough to hold.
      if text.count > 1 << 20 {
        try file.write(text)
        text.removeAll(keepingCapacity: true)
        progress.update(source.progress)
      }
    }
    try file.write(text)
    try file.finish()
    guard output != "-" else { return }
    try report(source.header, events: events, console)
  }

  private func report(_ header: TraceHeader, events: Int, _ console: Console) throws {
    guard looking.json else {
      return console.note(
        "\(output): \(HumanUnits.counted(events, "event")) of \(header.model), "
          + "\(HumanUnits.counted(header.layers, "MoE layer")) of "
          + "\(HumanUnits.counted(header.experts, "expert")), seed \(routing.seed)")
    }
    let object = JSONValue.object([
      ("file", .string(output)), ("model", .string(header.model)),
      ("layers", .integer(header.layers)), ("experts", .integer(header.experts)),
      ("activated", .integer(header.activated)), ("events", .integer(events)),
      ("seed", .unsigned(routing.seed)),
    ])
    try OutputStream.standardOutput.write(object.text + "\n")
  }
}
