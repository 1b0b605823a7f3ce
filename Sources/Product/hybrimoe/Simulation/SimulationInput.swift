import ExpertSimulation
import Experts
import Placement
import RoutingTraces

/// What `simulate` plays: made-up routing, held in memory, or a trace, read again for each system.
struct SimulationInput {
  let machine: SimulatedMachine
  /// The routing in words: where it is from.
  let title: String
  /// How often each expert is used, [layers, experts]: of made-up routing in other sequences, of a
  /// trace in the trace itself, which is what a calibration with the same text would have found.
  let popularity: [Double]
  let demands: [LayerDemand]
  private let events: [RoutingEvent]
  private let tracePath: String?
  let seed: UInt64?

  /// Whether playing once more is cheap.
  var isInMemory: Bool { tracePath == nil }

  init(_ command: Simulate, catalog: ProfileCatalog) throws {
    guard let name = command.shape else { throw CommandFailure("No --shape was given.") }
    let shape = try catalog.shape(name)
    machine = try SimulatedMachine(
      profile: catalog.machine(command.machine ?? "paper"), shape: shape)
    tracePath = command.trace
    if let path = command.trace {
      (popularity, demands) = try Self.survey(path, machine)
      events = []
      title = "trace \(path)"
      seed = nil
      return
    }
    let (prompt, decode) = (command.promptTokens ?? 128, command.decodeTokens ?? 64)
    try Self.checkSize(tokens: prompt + decode, shape)
    let seed = command.seed ?? 1
    let sequence: SimulatedSequence
    do {
      sequence = try SimulatedSequence(
        TraceHeader(shape), behavior: catalog.routing(of: shape), promptTokens: prompt,
        decodeTokens: decode, seed: seed)
    } catch let error as SyntheticRoutingError {
      throw CommandFailure("\(error).")
    }
    (events, popularity) = (sequence.events, sequence.popularity)
    let activated = machine.activatedCount
    demands = events.map { LayerDemand($0, activated: activated) }
    title = Self.title(prompt: prompt, decode: decode, seed: seed)
    self.seed = seed
  }

  /// Tokens of the longest sequence: those of the prompt and of the answer.
  var tokens: Int { demands.reduce(0) { $1.layer == 0 ? $0 + $1.tokens : $0 } }

  /// Scores of made-up routing that are held at most: each of a token's experts in each layer has
  /// one, and up to three foreseen, of 8 bytes; so this is about 4 GiB.
  static let maximumScores = 1 << 27

  // Before anything is made: memory that is not there ends a process without a word.
  private static func checkSize(tokens: Int, _ shape: ModelShape) throws {
    let each = max(1, shape.moeLayerCount * shape.expertCount)
    guard tokens > maximumScores / each else { return }
    throw CommandFailure(
      "\(tokens) tokens in \(shape.moeLayerCount) layers of \(shape.expertCount) experts take "
        + "\(HumanUnits.bytes(tokens * each * 32)) of memory; at most \(maximumScores / each) tokens "
        + "of this model are made up at once. For more, write them with 'hybrimoe trace synth' and "
        + "give the file with --trace.")
  }

  /// Calls `body` with every event, in order.
  func forEach(_ body: (RoutingEvent) throws -> Void) throws {
    guard let tracePath else { return try events.forEach(body) }
    let trace = try TraceFile(path: tracePath)
    while let event = try trace.next() { try body(event) }
  }

  private static func survey(
    _ path: String, _ machine: SimulatedMachine
  ) throws -> ([Double], [LayerDemand]) {
    guard path != "-" else {
      throw CommandFailure("A trace is played more than once; give a file, not standard input.")
    }
    let trace = try TraceFile(path: path)
    let header = trace.header
    for (what, inTrace, inModel) in [
      ("MoE layers", header.layers, machine.layerCount),
      ("experts a layer", header.experts, machine.expertCount),
      ("activated experts a token", header.activated, machine.activatedCount),
    ] where inTrace != inModel {
      throw SimulationError.traceOfOtherModel(what: what, trace: inTrace, model: inModel)
    }
    var popularity = Array(repeating: 0.0, count: header.layers * header.experts)
    var demands: [LayerDemand] = []
    while let event = try trace.next() {
      for index in event.ids { popularity[event.layer * header.experts + index] += 1 }
      demands.append(LayerDemand(event, activated: header.activated))
    }
    return (popularity, demands)
  }
}

extension SimulationInput {
  /// What was played, as in `prompt of 64 tokens, answer of 1 token, seed 1`.
  static func title(prompt: Int, decode: Int, seed: some FixedWidthInteger) -> String {
    func tokens(_ count: Int) -> String {
      switch count {
      case 0: "no tokens"
      case 1: "1 token"
      default: "\(count) tokens"
      }
    }
    return "prompt of \(tokens(prompt)), answer of \(tokens(decode)), seed \(seed)"
  }
}

extension TraceHeader {
  /// The header of a trace of a model in sizes.
  init(_ shape: ModelShape) {
    self.init(
      model: shape.name, layers: shape.moeLayerCount, experts: shape.expertCount,
      activated: shape.activatedCount,
      expertBytes: (0..<shape.moeLayerCount).map { shape.expertFootprint(layer: $0).hostBytes })
  }
}
