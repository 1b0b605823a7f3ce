import ArgumentParser
import Devices
import ExpertDirection
import ExpertSimulation
import Experts
import GGUF
import HybridDecoding
import HybridExperts
import Inference
import Models
import Placement

/// What computes the sequences of a call: the CPU alone, or a device beside it.
///
/// It finds the device, decides what of a model goes where, and says so in one line; what is asked
/// for and cannot be done is said too, or refused where a device was asked for by name.
final class ComputeEngine {
  let options: MachineOptions
  private let console: Console
  private let timeline: TimelineOptions?
  private let open: OpenDevice?
  /// Where the model's parts go; nil where the CPU computes alone.
  private(set) var plan: PlacementPlan?
  /// The engine that runs; nil where the CPU computes alone.
  private(set) var live: (any LiveEngine)?
  private var learned: LearnedCosts?
  private let rules: RuleFile?

  /// - Throws: `CommandFailure` where a device that was asked for cannot be used or a file of rules cannot
  ///   be read; `PlacementRuleError` where that is wrong.
  init(_ options: MachineOptions, timeline: TimelineOptions? = nil, console: Console) throws {
    self.options = options
    self.console = console
    self.timeline = timeline
    // Before a model of many gigabytes is loaded.
    rules = try options.hybrid.optimizeRulePath.map { try RuleFile(path: $0) }
    switch try DeviceSearch(options) {
    case .open(let device):
      open = device
      try timeline?.create()
      if let remark = device.device.properties.remark { console.warn("\(remark).") }
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

  /// Memory of a card, which is beside that of the host.
  var deviceByteCount: Int {
    options.device == .emulated ? 0 : open?.machine.gpu.memoryBytes ?? 0
  }

  /// Plans a model's placement.
  ///
  /// - Returns: the options, with a context that GPU memory has room for where none was asked for.
  /// - Throws: as `EnginePlanner.plan`.
  private func prepare(
    _ file: GGUFFile, _ model: DecoderModel, _ wanted: SessionOptions
  ) throws -> SessionOptions {
    guard let open else { return wanted }
    let shape = try ModelShape(file)
    let learned = LearnedCosts(
      open.device, shape, threadCount: wanted.threadCount, console: console)
    self.learned = learned
    var machine = open.machine
    if let measured = learned.calibration.costs?.model { machine.take(measured) }
    let planner = EnginePlanner(
      machine: machine, isEmulated: open.device.properties.isEmulated, options: options.hybrid,
      totalByteCount: open.totalByteCount, system: try system, rules: rules)
    do {
      switch try planner.plan(shape, model, wanted) {
      case .placed(let plan, let session, let rules):
        if !open.isAskedFor, let sentence = plan.uselessnessOfGPU {
          console.note("No GPU is used, since \(sentence); --device cuda:0 uses it all the same.")
          return wanted
        }
        tell(plan, rules)
        self.plan = plan
        return session
      case .lacking(let reason, _):
        guard !open.isAskedFor else {
          throw CommandFailure(
            "\(reason). Give a shorter --context, --kv-type q8_0 or more --gpu-memory, or run with "
              + "--device cpu.")
        }
        console.note("No GPU is used, since \(reason).")
      case .nothingWished(let reason): console.note("No GPU is used, since \(reason).")
      }
      return wanted
    } catch  where !open.isAskedFor && Self.isAboutDevices(error) {
      console.warn("No GPU is used: \(TerminalText.withoutFullStop("\(error)")).")
      return wanted
    }
  }

  /// Says what is where, and what is not as it was asked for.
  private func tell(_ plan: PlacementPlan, _ rules: RulesInFile?) {
    if let warning = rules?.warning { console.warn(warning) }
    // What is expected is the speed of the best plans.
    let line = PlanLine(
      plan, tellsSpeed: (options.hybrid.scheduler ?? .hybrimoe) == .hybrimoe)
    console.note(line.text + ".")
    for reduction in line.reductions { console.warn(reduction) }
  }

  /// Whether an error says that the engine cannot use a device for a model, so that the CPU can.
  private static func isAboutDevices(_ error: any Error) -> Bool {
    error is DeviceError || error is HybridError || error is HybridDecodingError
      || error is SimulationError || error is DirectionError || error is CommandFailure
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
      var placed = try PlacedModel(plan, device: open.device, system: try system)
      learned?.warmUp(placed, setup)
      if let calibration = learned?.calibration { placed.take(calibration) }
      let worth = GPUWorthwhile(placed.lanes, slots: placed.system.layerSlots ?? [])
      if !open.isAskedFor, !worth.isWorthwhile {
        console.note("No GPU is used, since \(worth.sentence).")
        return try CPUSequenceBackend(setup)
      }
      let engine = try fitting(placed, setup)
      if let shortage = engine.shortage { console.warn("\(shortage).") }
      live = engine
      return engine
    } catch  where !open.isAskedFor && Self.isAboutDevices(error) {
      console.warn("No GPU is used: \(TerminalText.withoutFullStop("\(error)")).")
      return try CPUSequenceBackend(setup)
    }
  }

  /// The engine with as many slots as the device has memory for.
  private func fitting(_ wanted: PlacedModel, _ setup: SequenceSetup) throws -> HybridEngine {
    var placed = wanted
    var refusal: DeviceError?
    while true {
      do {
        let engine = try HybridEngine(
          placed, setup, recordsTimeline: timeline?.files.isEmpty == false)
        if let refusal {
          let slots = HumanUnits.counted(placed.system.layerSlots?.max() ?? 0, "slot")
          console.warn("\(refusal); the expert cache is cut down to \(slots) a layer.")
        }
        return engine
      } catch let error as DeviceError {
        switch error {
        case .outOfMemory:
          refusal = refusal ?? error
          guard let smaller = placed.withFewerSlots else { throw Self.shortage(error) }
          placed = smaller
        case .cannotPin: throw Self.shortage(error)
        default: throw error
        }
      }
    }
  }

  private static func shortage(_ error: DeviceError) -> any Error {
    // Whoever did not ask for the device gets the CPU, with the reason.
    CommandFailure(
      "\(error). Give a shorter --context, end other programs, or run with --device cpu.")
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

  /// Keeps what was learned and writes the pictures that were asked for.
  func finish(_ model: String) throws {
    if let popularity = live?.popularity { learned?.keep(popularity: popularity) }
    guard let live, let timelines = live.timelines else { return }
    try timeline?.draw(
      timelines.measured, predicted: timelines.predicted,
      title: "\(TerminalText.safe(model, width: 60)) on \(live.title)",
      subtitle: live.isModelled ? "modelled times" : "")
  }
}
