import ArgumentParser
import Devices
import ExpertDirection
import Experts
import GGUF
import Inference
import Models
import Placement

/// What computes the sequences of a call: the CPU alone, or a device beside it.
///
/// It finds the device, decides what of a model goes where, and says so in one line; what is asked for and cannot be
/// done is said too, or refused where a device was asked for by name.
final class ComputeEngine {
  let options: MachineOptions
  private let console: Console
  private let timeline: TimelineOptions?
  private let open: OpenDevice?
  /// Where the model's parts go; nil where the CPU computes alone.
  private(set) var plan: PlacementPlan?
  /// The engine that runs; nil where the CPU computes alone.
  private(set) var live: (any LiveEngine)?

  /// - Throws: `CommandFailure` where a device that was asked for cannot be used.
  init(_ options: MachineOptions, timeline: TimelineOptions? = nil, console: Console) throws {
    self.options = options
    self.console = console
    self.timeline = timeline
    switch try DeviceSearch(options) {
    case .open(let device): open = device
    case .none(let reason):
      open = nil
      let idle = options.hybrid.given + (timeline?.given ?? [])
      let verb = idle.count == 1 ? "has" : "have"
      let without = idle.isEmpty ? "" : "; \(idle.joined(separator: ", ")) \(verb) no effect"
      if options.device == .automatic {
        let line = "No GPU is used, since \(reason)\(without)."
        idle.isEmpty ? console.note(line) : console.warn(line)
      } else if !idle.isEmpty {
        console.warn("\(idle.joined(separator: ", ")): no effect with \(reason).")
      }
    }
  }

  /// Plans a model's placement.
  ///
  /// - Returns: the options, with a context that GPU memory has room for where none was asked for.
  /// - Throws: `CommandFailure` where a device that was asked for has no room for what each token needs;
  ///   `GGUFError`, `PlacementRuleError`.
  func prepare(_ file: GGUFFile, _ model: DecoderModel, _ wanted: SessionOptions) throws
    -> SessionOptions
  {
    guard let open else { return wanted }
    var session = wanted
    var request = PlacementRequest(
      machine: open.machine, shape: try ModelShape(file),
      context: wanted.contextLength ?? model.hyperparameters.contextLength)
    request.keyValueType = KeyValueElement(wanted.keyValueType)
    request.gpuMemoryBytes = options.hybrid.gpuMemory?.bytes(of: open.totalByteCount)
    request.slots = options.hybrid.slots
    if open.device.properties.isEmulated, options.hybrid.gpuMemory == nil, request.slots == .asFit {
      // Where everything fits there is nothing to watch.
      request.slots = .ratio(0.25)
    }
    try applyRules(to: &request)
    if wanted.contextLength == nil {
      request.context = Self.context(request)
      session.contextLength = request.context
    }
    guard try isUseful(PlacementPlanner.plan(request), open) else { return wanted }
    let (plan, usedByteCount) = try fitting(request, model, session, open)
    self.plan = plan
    console.note(PlanLine(plan, usedByteCount: usedByteCount).text + ".")
    for reduction in PlanLine(plan).reductions { console.warn(reduction) }
    return session
  }

  /// The plan with as many slots as there is room for beside what the engine really takes.
  private func fitting(
    _ request: PlacementRequest, _ model: DecoderModel, _ session: SessionOptions,
    _ open: OpenDevice
  ) throws -> (PlacementPlan, usedByteCount: Int) {
    let plan = PlacementPlanner.plan(request)
    let placed = try PlacedModel(plan, device: open.device, system: try system)
    let needs = try DeviceNeeds(placed, model, session, context: request.context)
    let room = needs.slotsPerLayer(in: plan.gpuBytes - plan.bytes(.margin, in: plan.gpuParts))
    let planned = plan.layers.map(\.slots).max() ?? 0
    guard room < planned else {
      return (plan, needs.byteCount(slots: plan.slotCount))
    }
    if request.slots != .asFit {
      console.warn(
        "GPU memory has room for \(room) of the \(planned) experts of each layer that were asked for."
      )
    }
    var smaller = request
    smaller.slots = .perLayer(room)
    let fitting = PlacementPlanner.plan(smaller)
    return (fitting, needs.byteCount(slots: fitting.slotCount))
  }

  /// The system that plans layers and keeps experts.
  private var system: SystemDescription {
    get throws {
      let scheduler = options.hybrid.scheduler ?? .hybrimoe
      guard
        let system = try options.hybrid.wish.systems([scheduler], cacheRatio: 0.25).first
      else { preconditionFailure("a name gives a system") }
      return system
    }
  }

  private func applyRules(to request: inout PlacementRequest) throws {
    guard let path = options.hybrid.optimizeRulePath else { return }
    let rules = try RulesInFile(path: path, request.shape)
    let dense = rules.outcome.wishes.filter { $0.attention == .cpu || $0.feedForward == .cpu }
    if !dense.isEmpty || rules.outcome.output == .cpu {
      console.warn(
        "\(path): only routed experts may be placed by rules here; everything else stays on the GPU."
      )
    }
    request.wishes = rules.outcome.wishes.map { LayerWish(experts: $0.experts) }
  }

  /// The longest context, of the model's own and its halves, whose key-value cache takes at most a quarter of the memory
  /// and with which all that each token needs fits.
  static func context(_ request: PlacementRequest) -> Int {
    var request = request
    let memory = min(request.machine.gpu.memoryBytes, request.gpuMemoryBytes ?? Int.max)
    while request.context > shortestContext {
      let cache = request.shape.keyValueBytes(context: request.context, type: request.keyValueType)
      if cache <= memory / 4, PlacementPlanner.plan(request).denseFits { break }
      request.context = max(shortestContext, request.context / 2)
    }
    return request.context
  }

  /// Tokens that a conversation is not cut below.
  private static let shortestContext = 2048

  private func isUseful(_ plan: PlacementPlan, _ open: OpenDevice) throws -> Bool {
    let isAnyLayerThere = plan.layers.contains { $0.attention == .gpu && $0.feedForward == .gpu }
    guard isAnyLayerThere else {
      let lacking =
        "GPU memory of \(HumanUnits.bytes(plan.gpuBytes)) has no room for even one layer's part that every token needs, with a "
        + "context of \(HumanUnits.counted(plan.request.context, "token"))"
      if open.isAskedFor {
        throw CommandFailure(
          "\(lacking). Give a shorter --context, --kv-type q8_0 or more --gpu-memory, or run with "
            + "--device cpu.")
      }
      console.note("No GPU is used, since \(lacking).")
      return false
    }
    guard !open.isAskedFor, let with = plan.speed else { return true }
    var alone = plan.request
    alone.machine.gpu = .none
    alone.gpuMemoryBytes = nil
    alone.wishes = []
    guard let without = PlacementPlanner.plan(alone).speed,
      without.decodeTokensPerSecond > with.decodeTokensPerSecond
    else { return true }
    console.note(
      "No GPU is used, since it would not help: about \(PlanLine.speed(with.decodeTokensPerSecond)) tokens/s "
        + "are expected with it and \(PlanLine.speed(without.decodeTokensPerSecond)) without; --device "
        + "cuda:0 uses it all the same.")
    return false
  }
}

// What a command runs.
extension ComputeEngine {
  /// A conversation that this engine computes.
  func session(_ loaded: LoadedModel, _ options: SessionOptions) throws -> GenerationSession {
    let options = try prepare(loaded.file, loaded.model, options)
    return try GenerationSession(loaded, options: options, backend: backend)
  }

  /// A sequence that this engine computes.
  func runner(_ model: DecoderModel, _ options: SessionOptions) throws -> SequenceRunner {
    let options = try prepare(model.file, model, options)
    return try SequenceRunner(model: model, options: options, backend: backend)
  }

  private var backend: ((SequenceSetup) throws -> any SequenceBackend)? {
    guard let plan, let open else { return nil }
    return { [self] in try backend($0, plan, open) }
  }

  private func backend(
    _ setup: SequenceSetup, _ plan: PlacementPlan, _ open: OpenDevice
  ) throws -> any SequenceBackend {
    do {
      let engine = try fitting(
        try PlacedModel(plan, device: open.device, system: try system), setup)
      if let shortage = engine.shortage { console.warn("\(shortage).") }
      live = engine
      return engine
    } catch let error as DeviceError where !open.isAskedFor {
      console.warn("No GPU is used: \(error).")
      return try CPUSequenceBackend(setup)
    }
  }

  /// The engine with as many slots as the device has memory for.
  private func fitting(_ placed: PlacedModel, _ setup: SequenceSetup) throws -> HybridEngine {
    var placed = placed
    while true {
      do {
        return try HybridEngine(
          placed, setup, recordsTimeline: timeline?.files.isEmpty == false)
      } catch let error as DeviceError {
        guard case .outOfMemory = error, let smaller = placed.withFewerSlots else { throw error }
        placed = smaller
        console.warn(
          "\(error); the expert cache is cut down to "
            + "\(placed.system.layerSlots?.max() ?? 0) slots a layer.")
      }
    }
  }
}

// What is left behind a run.
extension ComputeEngine {
  /// Runs something and writes the pictures that were asked for, whatever becomes of it.
  func finishing(_ model: Hyperparameters, _ body: () throws -> Void) throws {
    let name = model.name ?? model.architecture
    do {
      try body()
    } catch {
      // What went wrong first is what the user must hear of.
      try? finish(name)
      throw error
    }
    try finish(name)
  }

  /// Writes the pictures that were asked for.
  func finish(_ model: String) throws {
    guard let live, let timelines = live.timelines else { return }
    try timeline?.draw(
      timelines.measured, predicted: timelines.predicted,
      title: "\(TerminalText.safe(model, width: 60)) on \(live.title)",
      subtitle: live.isModelled ? "modelled times" : "")
  }
}
