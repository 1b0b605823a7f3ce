import ExpertDirection
import Experts
import Inference
import Models
import Placement

/// Decides what of a model goes to a device, from its free memory and what was asked for, and says
/// so.
struct EnginePlanner {
  let open: OpenDevice
  let options: HybridOptions
  let system: SystemDescription
  let console: Console
  /// Costs of this machine and model, where they were measured in an earlier run.
  var measured: CostModel?

  /// The plan, and the options with a context that GPU memory has room for where none was asked
  /// for; nil where the CPU should compute alone, which has been said then.
  ///
  /// - Throws: `CommandFailure` where a device that was asked for has no room for any layer;
  ///   `PlacementRuleError`, errors of the engine for models that it cannot run.
  func plan(
    _ shape: ModelShape, _ model: DecoderModel, _ wanted: SessionOptions
  ) throws -> (PlacementPlan, SessionOptions)? {
    var session = wanted
    var request = PlacementRequest(
      machine: open.machine, shape: shape,
      context: wanted.contextLength ?? model.hyperparameters.contextLength)
    if let measured { request.machine.take(measured) }
    request.keyValueType = KeyValueElement(wanted.keyValueType)
    request.gpuMemoryBytes = options.gpuMemory?.bytes(of: open.totalByteCount)
    request.slots = options.slots
    if open.device.properties.isEmulated, options.gpuMemory == nil, request.slots == .asFit {
      // Where everything fits there is nothing to watch.
      request.slots = .ratio(0.25)
    }
    if let path = options.optimizeRulePath {
      let rules = try RulesInFile(path: path, request.shape)
      if let warning = rules.warning { console.warn(warning) }
      request.wishes = rules.outcome.wishes
      request.outputDevice = rules.outcome.output
    }
    if wanted.contextLength == nil {
      request.context = Self.context(request)
      session.contextLength = request.context
    }
    guard let (plan, needs) = try fitting(request, model, session), isFaster(plan) else {
      return nil
    }
    let line = PlanLine(
      plan, usedByteCount: needs.byteCount(slots: plan.slotCount),
      memoryByteCount: PlacementPlanner.plan(request).gpuBytes)
    console.note(line.text + ".")
    for reduction in line.reductions { console.warn(reduction) }
    return (plan, session)
  }

  /// The longest context, of the model's own and its halves, whose key-value cache takes at most a
  /// quarter of the memory and with which all that each token needs fits.
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

  /// The plan with as many layers and slots as there is room for by what the engine really takes;
  /// nil where the CPU should compute alone.
  private func fitting(
    _ request: PlacementRequest, _ model: DecoderModel, _ session: SessionOptions
  ) throws -> (PlacementPlan, DeviceNeeds)? {
    var request = request
    var plan = PlacementPlanner.plan(request)
    let limit = plan.gpuBytes - plan.bytes(.margin, in: plan.gpuParts)
    while plan.layers.contains(where: { $0.attention == .gpu && $0.feedForward == .gpu }) {
      let placed = try PlacedModel(plan, device: open.device, system: system)
      let needs = try DeviceNeeds(placed, model, session, context: request.context)
      let lacking = needs.denseByteCount - limit
      guard lacking > 0 else {
        return (withFewerSlots(plan, room: needs.slotsPerLayer(in: limit)), needs)
      }
      request.gpuMemoryBytes = max(0, plan.gpuBytes - lacking)
      plan = PlacementPlanner.plan(request)
    }
    let lacking =
      "GPU memory of \(HumanUnits.bytes(limit)) has no room for even one layer's part that every token "
      + "needs, with a context of \(HumanUnits.counted(request.context, "token"))"
    if open.isAskedFor {
      throw CommandFailure(
        "\(lacking). Give a shorter --context, --kv-type q8_0 or more --gpu-memory, or run with "
          + "--device cpu.")
    }
    console.note("No GPU is used, since \(lacking).")
    return nil
  }

  private func withFewerSlots(_ plan: PlacementPlan, room: Int) -> PlacementPlan {
    let planned = plan.layers.map(\.slots).max() ?? 0
    guard room < planned else { return plan }
    if plan.request.slots != .asFit {
      console.warn(
        "GPU memory has room for \(room) of the \(planned) experts of each layer that were asked for."
      )
    }
    var request = plan.request
    request.slots = .perLayer(room)
    return PlacementPlanner.plan(request)
  }

  /// Whether the device helps, as far as costs tell; a device that was asked for is used all the
  /// same.
  private func isFaster(_ plan: PlacementPlan) -> Bool {
    guard !open.isAskedFor, let with = plan.speed else { return true }
    var alone = plan.request
    alone.machine.gpu = .none
    alone.gpuMemoryBytes = nil
    alone.wishes = []
    guard let without = PlacementPlanner.plan(alone).speed,
      without.decodeTokensPerSecond > with.decodeTokensPerSecond
    else { return true }
    console.note(
      "No GPU is used, since it would not help: about "
        + "\(PlanLine.speed(with.decodeTokensPerSecond)) tokens/s are expected with it and "
        + "\(PlanLine.speed(without.decodeTokensPerSecond)) without; --device cuda:0 uses it all the same."
    )
    return false
  }
}
