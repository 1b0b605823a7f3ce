import Devices
import EmulatedDevice
import ExpertDirection
import ExpertSimulation
import Experts
import HybridDecoding
import Inference
import Models
import Placement

/// Decides what of a model goes to a device, from its free memory and what was asked for.
struct EnginePlanner {
  /// Its memory is what is free; its speeds are assumed, or measured in an earlier run.
  let machine: MachineProfile
  let isEmulated: Bool
  let options: HybridOptions
  /// Bytes that the share of `--gpu-memory` is of.
  let totalByteCount: Int
  let system: SystemDescription
  var rules: RuleFile?
  /// The share of activated experts that are resident, where it is known.
  var hitRate: Double?
  /// The prompt whose speed is told.
  var promptTokens = 512

  /// What came of planning.
  enum Outcome {
    /// With the options, whose context GPU memory has room for where none was asked for.
    case placed(PlacementPlan, SessionOptions, RulesInFile?)
    /// Not even the least that the engine works with has room, for the reason, a part of a sentence; with
    /// the plan that is left, all of it on the CPU.
    case lacking(reason: String, PlacementPlan)
    /// Rules leave nothing for the device.
    case nothingWished(reason: String)
  }

  /// - Throws: `PlacementRuleError`; errors of the engine for models that it cannot run.
  func plan(
    _ shape: ModelShape, _ model: DecoderModel, _ wanted: SessionOptions
  ) throws -> Outcome {
    var session = wanted
    var request = PlacementRequest(
      machine: machine, shape: shape,
      context: wanted.contextLength ?? model.hyperparameters.contextLength)
    request.keyValueType = KeyValueElement(wanted.keyValueType)
    request.hitRate = hitRate
    request.promptTokens = promptTokens
    request.take(options, totalByteCount: totalByteCount, isEmulated: isEmulated)
    let applied = rules.map { RulesInFile($0, shape) }
    if let applied {
      request.wishes = applied.outcome.wishes
      request.outputDevice = applied.outcome.output
    }
    // The engine computes a layer's attention and feed-forward in one place.
    let isOnGPU = shape.layers.indices.map {
      let wish = request.wishes.isEmpty ? LayerWish() : request.wishes[$0]
      return wish.attention == .gpu && wish.feedForward == .gpu
    }
    guard let path = rules?.path, !isOnGPU.contains(true) else {
      let wished = shape.layers.indices.filter { isOnGPU[$0] }
      if wanted.contextLength == nil {
        request.context = try Self.context(request) {
          let needs = try DeviceNeeds(model, session, context: $0.context)
          return try least(needs.sizes(placement(wished, $0)), $0) <= limit($0)
        }
        session.contextLength = request.context
      }
      return try fitting(request, wished, model, session, applied)
    }
    return .nothingWished(reason: "the rules of \(path) leave no layer to it")
  }

  private func limit(_ request: PlacementRequest) -> Int {
    min(request.machine.gpu.memoryBytes, request.gpuMemoryBytes ?? .max)
      - request.machine.gpu.marginBytes
  }

  private func placement(_ onGPU: [Int], _ request: PlacementRequest) -> DensePlacement {
    DensePlacement(
      hostLayers: Set(request.shape.layers.indices).subtracting(onGPU),
      outputHeadOnHost: request.outputDevice == .cpu)
  }

  /// The longest context, of the model's own and its halves, whose key-value cache takes at most a
  /// quarter of the memory and with which all that each token needs fits.
  static func context(
    _ request: PlacementRequest, fits: (PlacementRequest) throws -> Bool
  ) rethrows -> Int {
    var request = request
    let memory = min(request.machine.gpu.memoryBytes, request.gpuMemoryBytes ?? Int.max)
    while request.context > shortestContext {
      let cache = request.shape.keyValueBytes(context: request.context, type: request.keyValueType)
      if cache <= memory / 4, try fits(request) { break }
      request.context = max(shortestContext, request.context / 2)
    }
    return request.context
  }

  /// Tokens that a conversation is not cut below.
  private static let shortestContext = 2048
}

// What fits.
extension EnginePlanner {
  /// The plan with as many of the wished layers, first ones first, and as many slots as there is room for.
  private func fitting(
    _ request: PlacementRequest, _ wished: [Int], _ model: DecoderModel,
    _ session: SessionOptions, _ rules: RulesInFile?
  ) throws -> Outcome {
    var request = request
    let needs = try DeviceNeeds(model, session, context: request.context)
    let limit = limit(request)
    func sizes(_ count: Int) throws -> EngineSizes {
      try needs.sizes(placement(Array(wished.prefix(count)), request))
    }
    var taken = try sizes(wished.count)
    var count = wished.count
    if try least(taken, request) > limit {
      taken = try sizes(1)
      if try least(taken, request) > limit, request.outputDevice == .gpu {
        request.outputDevice = .cpu
        taken = try sizes(1)
      }
      let needed = try least(taken, request)
      guard needed <= limit else {
        return .lacking(
          reason: lacking(needed, limit, context: request.context), Self.onCPU(request))
      }
      // More layers take more memory.
      count = 1
      var tooMany = wished.count
      while tooMany - count > 1 {
        let middle = (count + tooMany) / 2
        let some = try sizes(middle)
        if try least(some, request) <= limit {
          (taken, count) = (some, middle)
        } else {
          tooMany = middle
        }
      }
    }
    let kept = Array(wished.prefix(count))
    request.wishes = request.shape.layers.indices.map { index in
      guard kept.contains(index) else {
        return LayerWish(attention: .cpu, feedForward: .cpu, experts: .cpu)
      }
      return request.wishes.isEmpty ? LayerWish() : request.wishes[index]
    }
    request.engineTimes = try times(placement(kept, request), model, session, request)
    var plan = try withSlots(request, taken)
    if count < wished.count {
      let moved = wished.count - count
      plan.reductions =
        [.attentionOnCPU(layers: moved), .feedForwardOnCPU(layers: moved)]
        + plan.reductions
    }
    if request.outputDevice == .cpu, rules?.outcome.output != .cpu {
      plan.reductions.insert(.outputOnCPU, at: 0)
    }
    return .placed(plan, session, rules)
  }

  private static func onCPU(_ request: PlacementRequest) -> PlacementPlan {
    var request = request
    let layers = request.shape.layers.count
    request.outputDevice = .cpu
    request.wishes = Array(
      repeating: LayerWish(attention: .cpu, feedForward: .cpu, experts: .cpu), count: layers)
    var plan = PlacementPlanner.plan(request)
    plan.reductions = [
      .outputOnCPU, .attentionOnCPU(layers: layers), .feedForwardOnCPU(layers: layers),
    ]
    return plan
  }

  /// Bytes with an empty cache: the executor has slots for copies all the same.
  private func least(_ sizes: EngineSizes, _ request: PlacementRequest) throws -> Int {
    let lanes = try SimulatedMachine(profile: request.machine, shape: request.shape)
    let empty = Array(repeating: 0, count: lanes.layerCount)
    return sizes.dense + allSlots(empty, lanes) * sizes.slot
  }

  /// Slots that the executor takes for a cache, those beside the cache's included.
  private func allSlots(_ cache: [Int], _ lanes: SimulatedMachine) -> Int {
    var system = system
    system.layerSlots = cache
    return system.slotsByLayer(lanes).reduce(0, +) + system.extraSlots(lanes)
  }

  private func lacking(_ needed: Int, _ limit: Int, context: Int) -> String {
    "GPU memory of \(HumanUnits.bytes(max(0, limit))) has no room for even one layer's part that every "
      + "token needs and for copies of experts, with a context of "
      + "\(HumanUnits.counted(context, "token")): that takes \(needed) bytes"
  }

  /// The plan with slots in what the dense part leaves. How many there must be beside the cache's depends
  /// on how many the cache has.
  private func withSlots(
    _ request: PlacementRequest, _ sizes: EngineSizes
  ) throws -> PlacementPlan {
    var request = request
    let lanes = try SimulatedMachine(profile: request.machine, shape: request.shape)
    var sizes = sizes
    while true {
      request.engineSizes = sizes
      let plan = PlacementPlanner.plan(request)
      let all = allSlots(request.shape.moeLayers.map { plan.layers[$0].slots }, lanes)
      guard all - plan.slotCount > sizes.extraSlots else { return plan }
      sizes.extraSlots = all - plan.slotCount
    }
  }

  /// What the engine's dense side will take for a token in the middle of the context.
  private func times(
    _ placement: DensePlacement, _ model: DecoderModel, _ session: SessionOptions,
    _ request: PlacementRequest
  ) throws -> EngineTimes {
    let clock = EmulatedTimes(request.machine)
    let step = try HybridDecoder.stepTimes(
      model, placement, contextLength: request.context, keyValueType: session.keyValueType,
      tokenCount: 1, position: (request.context - 1) / 2, phase: .decode,
      asksLaterRouters: system.prefetching != .off,
      microseconds: { clock.microseconds(of: $0) })
    return EngineTimes(
      dense: step.layers.values.reduce(step.others) { $0 + $1.beforeRouting + $1.afterExperts },
      shared: step.layers.mapValues(\.shared),
      handshake: request.machine.gpu.handshakeMicroseconds)
  }
}

extension EmulatedTimes {
  /// What a stream takes for a piece of work.
  func microseconds(of work: SubmittedWork) -> Double {
    switch work {
    case .launch(let kernel, let arguments):
      launchMicroseconds + kernelMicroseconds(kernel, LaunchSize(1), LaunchSize(1), arguments)
    case .upload(let byteCount):
      copyLatencyMicroseconds + Double(byteCount) / uploadBytesPerMicrosecond
    case .download(let byteCount):
      copyLatencyMicroseconds + Double(byteCount) / downloadBytesPerMicrosecond
    case .onDevice(let byteCount):
      launchMicroseconds + Double(byteCount) / deviceBytesPerMicrosecond
    }
  }
}
