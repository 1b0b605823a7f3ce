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
      cores and, where there is one, its first NVIDIA GPU, with assumed speeds. The speeds are \
      expectations from a cost model, not measurements.
      """)

  @OptionGroup(title: "Model") var model: ModelOptions

  @Option(
    parsing: .unconditional,
    help: .init("A known model's shape in place of a file, or a JSON file.", valueName: "name"))
  var shape: String?

  @Option(
    parsing: .unconditional,
    help: .init(
      "Tokens of the conversation to make room for (default: 8192, or the model's own if less).",
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

  @OptionGroup(title: "Machine") var placement: PlacementOptions
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
    let request = try request(console)
    var report = PlanReport(plan: PlacementPlanner.plan(request.placement))
    report.rules = request.rules
    try OutputStream.standardOutput.write(looking.json ? report.json.text + "\n" : report.text)
  }

  private func request(
    _ console: Console
  ) throws -> (placement: PlacementRequest, rules: RulesInFile?) {
    let catalog = ProfileCatalog()
    let machine = try machine(catalog, console)
    var request = try PlacementRequest(
      machine: machine, shape: modelShape(catalog), context: contextTokens())
    request.keyValueType = KeyValueElement(kvType)
    request.gpuMemoryBytes = placement.gpuMemory?.bytes(of: machine.gpu.memoryBytes)
    request.slots = placement.slots
    request.hitRate = hitRate
    request.promptTokens = promptTokens
    let rules = try placement.optimizeRulePath.map { try RulesInFile(path: $0, request.shape) }
    if let rules {
      if let warning = rules.warning { console.warn(warning) }
      request.wishes = rules.outcome.wishes
      request.outputDevice = rules.outcome.output
    }
    return (request, rules)
  }

  /// The machine that was named, or this one with the GPU that it has.
  private func machine(_ catalog: ProfileCatalog, _ console: Console) throws -> MachineProfile {
    if let name = placement.machine { return try catalog.machine(name) }
    if let open = try? OpenDevice.cuda(0, isAskedFor: false, catalog) {
      console.note(
        "No --machine: planning for this one and its \(open.machine.name), "
          + "\(HumanUnits.bytes(open.machine.gpu.memoryBytes)) of its memory free; speeds are those of a "
          + "similar card and of a desktop with DDR4 memory.")
      return open.machine
    }
    let machine = try MachineProfile.thisMachine(catalog)
    console.note(
      "No --machine: planning for \(machine.host.title); speeds are those of a desktop with "
        + "DDR4 memory, and there is no NVIDIA GPU.")
    let idle = [
      ("--gpu-memory", placement.gpuMemory != nil), ("--cache-size", placement.cacheSize != nil),
      ("--cache-ratio", placement.cacheRatio != nil), ("--hit-rate", hitRate != nil),
    ].filter(\.1).map(\.0)
    if !idle.isEmpty {
      console.warn(
        "\(idle.joined(separator: ", ")): no effect without --machine, since no GPU is known.")
    }
    return machine
  }

  private func modelShape(_ catalog: ProfileCatalog) throws -> ModelShape {
    if let shape { return try catalog.shape(shape) }
    return try ModelShape(model.location().open())
  }

  private func contextTokens() throws -> Int {
    if let context { return context }
    guard shape == nil else { return 8192 }
    let metadata = try model.location().open().metadata
    let architecture = try metadata.string("general.architecture")
    let own = try metadata.integerIfPresent("\(architecture).context_length", in: 1...Int.max)
    return min(8192, own ?? 8192)
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
