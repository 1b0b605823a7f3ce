import ExpertDirection
import ExpertSimulation
import GGUF
import HybridDecoding
import HybridExperts
import Inference
import Models
import Placement

/// The plan of a file or a shape on a machine: of a file that the engine can run the very plan that it would
/// run with, else an estimate from sizes.
struct Planning {
  let target: PlanTarget
  let options: HybridOptions
  let rules: RuleFile?
  /// Nil: as `run` chooses it for a file; 8192, or the model's own if less, where sizes are estimated.
  let context: Int?
  let keyValueType: KeyValueType
  let hitRate: Double?
  let promptTokens: Int
  let console: Console

  func report(_ file: GGUFFile) throws -> PlanReport {
    let shape = try ModelShape(file)
    if let report = try engineReport(file, shape) { return report }
    let architecture = try file.metadata.string("general.architecture")
    let own = try file.metadata.integerIfPresent("\(architecture).context_length", in: 1...Int.max)
    return report(shape, longest: own ?? Self.defaultContext)
  }

  static let defaultContext = 8192

  func report(_ shape: ModelShape, longest: Int = defaultContext) -> PlanReport {
    var request = PlacementRequest(
      machine: target.machine, shape: shape,
      context: context ?? min(Self.defaultContext, longest))
    request.keyValueType = KeyValueElement(keyValueType)
    request.hitRate = hitRate
    request.promptTokens = promptTokens
    if target.hasGPU {
      request.take(
        options, totalByteCount: target.totalByteCount, isEmulated: target.isEmulated)
    }
    let applied = rules.map { RulesInFile($0, shape) }
    if let applied {
      if let warning = applied.warning { console.warn(warning) }
      request.wishes = applied.outcome.wishes
      request.outputDevice = applied.outcome.output
    }
    return PlanReport(plan: PlacementPlanner.plan(request), rules: applied)
  }

  /// As the engine plans it; nil where it would not run the file on this machine's GPU, for a reason that is
  /// said.
  private func engineReport(_ file: GGUFFile, _ shape: ModelShape) throws -> PlanReport? {
    // A machine with its own format on the GPU is another system's.
    guard target.hasGPU, target.machine.gpu.bytesPerWeight == nil else { return nil }
    guard
      let system = try options.wish.systems(
        [options.scheduler ?? .hybrimoe], cacheRatio: 0.25
      ).first
    else { preconditionFailure("a name gives a system") }
    var planner = EnginePlanner(
      machine: target.machine, isEmulated: target.isEmulated, options: options,
      totalByteCount: target.totalByteCount, system: system, rules: rules)
    planner.hitRate = hitRate
    planner.promptTokens = promptTokens
    let session = SessionOptions(contextLength: context, keyValueType: keyValueType)
    do {
      let model = try DecoderModel.load(file, weights: WeightLoading(.native))
      switch try planner.plan(shape, model, session) {
      case .placed(let plan, _, let rules):
        if let warning = rules?.warning { console.warn(warning) }
        noteIfIdle(plan)
        return PlanReport(plan: plan, rules: rules)
      case .lacking(let reason, let plan):
        console.warn("\(reason).")
        return PlanReport(plan: plan, rules: rules.map { RulesInFile($0, shape) })
      case .nothingWished: return nil
      }
    } catch let error where Self.isAboutEngine(error) {
      console.note(
        "Sizes and speeds are estimated, since the engine cannot run this model on a GPU: "
          + "\(TerminalText.withoutFullStop("\(error)")).")
      return nil
    }
  }

  private static func isAboutEngine(_ error: any Error) -> Bool {
    error is ModelError || error is HybridError || error is HybridDecodingError
      || error is SimulationError
  }

  private func noteIfIdle(_ plan: PlacementPlan) {
    guard target.isAutomatic, let sentence = plan.uselessnessOfGPU else { return }
    console.note("No GPU would be used, since \(sentence).")
  }
}

extension PlacementPlan {
  /// Why a device is not worth its use, a part of a sentence; nil where it is, as far as costs tell.
  var uselessnessOfGPU: String? {
    guard let with = speed, let without = onCPUAlone.speed,
      without.decodeTokensPerSecond > with.decodeTokensPerSecond
    else { return nil }
    return "it would not help: about \(PlanLine.speed(with.decodeTokensPerSecond)) tokens/s are "
      + "expected with it and \(PlanLine.speed(without.decodeTokensPerSecond)) without"
  }
}

extension PlacementRequest {
  /// What of the memory may be used, and how many slots are wanted. All that is free may be used less a margin,
  /// which needs not be free a second time where less was asked for.
  mutating func take(_ options: HybridOptions, totalByteCount: Int, isEmulated: Bool) {
    if let bytes = options.gpuMemory?.bytes(of: totalByteCount) {
      gpuMemoryBytes = bytes
      let left = max(0, machine.gpu.memoryBytes - bytes)
      machine.gpu.marginBytes = max(0, machine.gpu.marginBytes - left)
    }
    slots = options.slots
    if isEmulated, options.gpuMemory == nil, slots == .asFit {
      // Where everything fits there is nothing to watch.
      slots = .ratio(0.25)
    }
  }
}
