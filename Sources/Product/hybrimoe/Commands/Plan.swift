import ArgumentParser
import Models
import Placement

/// Tells what would go where on a machine, and how fast it would be; loads nothing.
struct Plan: LookingCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what of a model would go where on a machine, and how fast it would be.",
    discussion: """
      The model is a file, of which only the header is read, or a known shape. The machine is one \
      of the named ones or a file of your own; without --machine it is this machine: its free memory, its \
      cores and the device that --device names, with assumed speeds. For a file that can run, the plan is \
      the one that 'run' would have. The speeds are expectations from a cost model, not measurements.
      """)

  @OptionGroup(title: "Model") var model: ModelOptions

  @Option(
    parsing: .unconditional,
    help: .init("A known model's shape in place of a file, or a JSON file.", valueName: "name"))
  var shape: String?

  @Option(
    parsing: .unconditional,
    help: .init(
      "Tokens of the conversation to make room for (default: for a file what 'run' would take, for a shape "
        + "8192).",
      valueName: "tokens"))
  var context: Int?

  @Option(
    parsing: .unconditional,
    help: .init("Element type of the key-value cache.", valueName: "type"))
  var kvType: KeyValueType = .f16

  @Option(
    parsing: .unconditional,
    help: .init(
      "Share of activated experts found on the GPU, if you know it (default: assumed).",
      valueName: "ratio"))
  var hitRate: Double?

  @Option(
    parsing: .unconditional,
    help: .init("Tokens of the prompt whose speed is told.", valueName: "tokens"))
  var promptTokens = 512

  @Option(
    name: .customLong("machine"), parsing: .unconditional,
    help: .init(
      "A machine such as rtx-4090 or rtx-4090+ddr4, or a JSON file (default: this machine).",
      valueName: "name"))
  var machineName: String?

  @OptionGroup(title: "Machine") var machine: MachineOptions
  @OptionGroup(title: "Looking") var looking: LookingOptions

  func validate() throws {
    let limit = ModelShape.contextLimit
    for (name, value) in [("--context", context ?? 1), ("--prompt-tokens", promptTokens)]
    where !(1...limit).contains(value) {
      throw ValidationError("\(name) is \(value), but must be from 1 to \(limit) tokens.")
    }
    if let hitRate, !(0...1).contains(hitRate) {
      throw ValidationError("--hit-rate is \(hitRate), but must be from 0 to 1.")
    }
    if let shape, let file = model.ggufPath ?? model.model ?? model.modelPath {
      throw ValidationError("--shape '\(shape)' and a model '\(file)' are given; keep one of them.")
    }
  }

  func run() throws {
    let console = looking.console
    let catalog = ProfileCatalog()
    // Before a model's file is opened, which may be far away.
    let rules = try machine.hybrid.optimizeRulePath.map { try RuleFile(path: $0) }
    let target = try PlanTarget(named: machineName, machine, catalog, console)
    warnOfIdleOptions(target, console)
    let planning = Planning(
      target: target, options: machine.hybrid, rules: rules, context: context,
      keyValueType: kvType, hitRate: hitRate, promptTokens: promptTokens, console: console)
    let report =
      try shape.map { planning.report(try catalog.shape($0)) }
      ?? planning.report(model.location().open())
    try OutputStream.standardOutput.write(looking.json ? report.json.text + "\n" : report.text)
  }

  /// Says which options have no effect.
  private func warnOfIdleOptions(_ target: PlanTarget, _ console: Console) {
    if target.hasGPU {
      guard let scheduler = machine.hybrid.scheduler, scheduler != .hybrimoe else { return }
      return console.warn(
        "--scheduler \(scheduler.rawValue): places are those of that system, but speeds are those of "
          + "hybrimoe's plans; 'hybrimoe simulate' tells the other's.")
    }
    var idle = machine.hybrid.given
    if hitRate != nil { idle.append("--hit-rate") }
    guard !idle.isEmpty else { return }
    let reason =
      machine.device == .cpu ? "with --device cpu" : "without --machine, since no GPU is known"
    console.warn("\(idle.joined(separator: ", ")): no effect \(reason).")
  }
}

extension KeyValueElement {
  init(_ type: KeyValueType) {
    self =
      switch type {
      case .f32: .f32
      case .f16: .f16
      case .q8_0: .q8_0
      }
  }
}
