import Experts

/// How fast a plan will run, from the machine's costs in closed form.
///
/// The intuition: in each MoE layer three lanes share the work, and the CPU takes as many experts as
/// balance it against the slower of the other two. Fractions of experts are allowed, since this is a
/// mean over many tokens. The simulator, which plays every layer of a routing trace through the real
/// schedulers, is the accurate one; this one needs no trace and gives the same picture.
public struct PlacementSpeed: Equatable, Sendable {
  /// The mean share of activated experts that are resident in decode.
  public var hitRate: Double
  /// Whether `hitRate` is an assumption: neither a figure of the request nor plain from layers
  /// that are entirely on one side.
  public var isHitRateAssumed: Bool
  public var decodeMicroseconds: Double
  public var prefillMicroseconds: Double
  public var promptTokens: Int

  public var decodeTokensPerSecond: Double { 1e6 / decodeMicroseconds }
  public var prefillTokensPerSecond: Double { Double(promptTokens) * 1e6 / prefillMicroseconds }

  /// The share of activated experts that a cache of this share of all experts holds.
  ///
  /// A power of the share: 1 for all, 0 for none. The exponent follows from the hit rates that the
  /// paper reports for its policy at 25 % (arXiv 2504.05897): 52.7 % and 52.8 % with 64 experts give
  /// ln 0.527 / ln 0.25 = 0.46, 36.2 % with Mixtral's 8 experts give 0.73; between, by the logarithm
  /// of the number of experts.
  public static func assumedHitRate(slots: Int, experts: Int) -> Double {
    guard slots > 0, experts > 0 else { return 0 }
    let share = min(1, Double(slots) / Double(experts))
    let exponent =
      experts >= 64
      ? 0.46 : experts <= 8 ? 0.73 : 0.73 - 0.27 * (binaryLogarithm(experts) - 3) / 3
    return power(share, exponent)
  }

  init(_ plan: PlacementPlan) {
    let request = plan.request
    promptTokens = min(request.promptTokens, request.context)
    isHitRateAssumed =
      request.hitRate == nil && plan.layers.contains { $0.slots > 0 && $0.slots < $0.expertCount }
    let model = LayerTimes(plan)
    var decode = model.output
    var prefill = model.output
    var hits = 0.0
    var activated = 0.0
    for index in plan.layers.indices {
      let layer = plan.layers[index]
      decode += model.dense(index, tokens: 1, context: request.context)
      prefill += model.dense(index, tokens: promptTokens, context: promptTokens)
      guard let experts = request.shape.layers[index].experts else { continue }
      let rate = Self.hitRate(layer, request)
      hits += rate * Double(experts.activated)
      activated += Double(experts.activated)
      decode += model.experts(
        index, activated: Double(experts.activated), load: 1, hitRate: rate, tokens: 1)
      let share = Double(experts.activated) / Double(experts.count)
      let distinct = Double(experts.count) * (1 - power(1 - share, Double(promptTokens)))
      let load = Double(promptTokens * experts.activated) / max(1, distinct)
      prefill += model.experts(
        index, activated: distinct, load: load,
        hitRate: Double(layer.slots) / Double(max(1, layer.expertCount)), tokens: promptTokens)
    }
    hitRate = activated > 0 ? hits / activated : 0
    decodeMicroseconds = decode
    prefillMicroseconds = prefill
  }

  private static func hitRate(_ layer: PlacementPlan.Layer, _ request: PlacementRequest) -> Double {
    if layer.slots == 0 { return 0 }
    if layer.slots == layer.expertCount { return 1 }
    return request.hitRate ?? assumedHitRate(slots: layer.slots, experts: layer.expertCount)
  }
}

/// Times of the parts of one step, where the plan puts them.
private struct LayerTimes {
  let plan: PlacementPlan
  let machine: MachineProfile
  let shape: ModelShape
  private let cpu: CostModel.CPU

  init(_ plan: PlacementPlan) {
    self.plan = plan
    machine = plan.request.machine
    shape = plan.request.shape
    let types = machine.host.cpu
    cpu =
      types[CostModel.defaultElementType] ?? types.values.first
      ?? CostModel.CPU(
        firstMicroseconds: 0, bytesPerMicrosecond: 1, parameterTokensPerMicrosecond: 1)
  }

  var output: Double {
    plan.output == .gpu ? machine.outputMicroseconds(of: shape) : onCPU(shape.output, tokens: 1)
  }

  private func onCPU(_ weights: WeightShare, tokens: Int) -> Double {
    guard weights.parameters > 0 else { return 0 }
    return Double(weights.bytes) / cpu.bytesPerMicrosecond
      + Double(weights.parameters) * Double(tokens) / cpu.parameterTokensPerMicrosecond
  }

  /// Everything of a layer but its routed and shared experts; a layer that is on both sides hands
  /// over once more.
  func dense(_ index: Int, tokens: Int, context: Int) -> Double {
    let layer = shape.layers[index]
    let placed = plan.layers[index]
    let type = plan.request.keyValueType
    let network = layer.router + layer.denseFeedForward
    if placed.attention == .gpu, placed.feedForward == .gpu {
      return machine.denseMicroseconds(
        of: shape, modelLayer: index, tokens: tokens, context: context, keyValueType: type)
    }
    var time = cpu.firstMicroseconds
    if !plan.isOnCPUOnly {
      time += machine.gpu.layerMicroseconds + machine.gpu.handshakeMicroseconds
    }
    if placed.feedForward == .cpu {
      time += onCPU(network, tokens: tokens)
    } else {
      time += machine.weightMicroseconds(network, tokens: tokens)
    }
    if placed.attention == .cpu {
      let row = layer.keyValueRow
      time += onCPU(layer.attention, tokens: tokens)
      time += Double(row.bytes(context: context, type: type)) / cpu.bytesPerMicrosecond
      time +=
        machine.attended(row, tokens: tokens, context: context)
        / cpu.parameterTokensPerMicrosecond
    } else {
      time += machine.attentionMicroseconds(
        of: shape, modelLayer: index, tokens: tokens, context: context, keyValueType: type)
    }
    return time
  }

  /// The routed and shared experts of a layer: the best split between the lanes.
  func experts(
    _ index: Int, activated: Double, load: Double, hitRate: Double, tokens: Int
  ) -> Double {
    guard let moeLayer = shape.moeLayers.firstIndex(of: index),
      let costs = machine.layerCosts(of: shape, layer: moeLayer, tokens: tokens)
    else { return 0 }
    let layer = plan.layers[index]
    var split = LaneSplit(costs: costs, activated: activated, load: load)
    split.misses = activated * (1 - hitRate)
    split.mayCopy = layer.experts == .cached && plan.copiesExperts
    if layer.feedForward == .cpu {
      split.cpuBefore = onCPU(shape.layers[index].shared, tokens: tokens)
      split.gpuBefore = 0
    }
    split.hasHandshake = !plan.isOnCPUOnly
    return split.makespan
  }
}

/// One layer's experts as amounts that can be divided.
private struct LaneSplit {
  let costs: LayerCosts
  let activated: Double
  let load: Double
  var misses = 0.0
  var mayCopy = true
  var cpuBefore = 0.0
  var gpuBefore: Double
  var hasHandshake = true

  init(costs: LayerCosts, activated: Double, load: Double) {
    self.costs = costs
    self.activated = activated
    self.load = load
    gpuBefore = costs.sharedOnGPU
  }

  private var cpuEach: Double { costs.cpuPerExpert + costs.cpuPerToken * load }
  private var gpuEach: Double {
    costs.gpuPerExpert + costs.gpuPerToken * max(0, load - Double(costs.gpuKnee))
  }

  /// The time where the CPU computes `amount` experts: misses first, then residents.
  private func time(onCPU amount: Double) -> Double {
    let onGPU = activated - amount
    let copied = max(0, misses - amount)
    let cpu = amount > 0 ? cpuBefore + costs.cpuFirst + amount * cpuEach : cpuBefore
    let each = amount > 0 ? costs.linkPerExpert : costs.linkPerExpertAlone
    // The last expert that arrives is computed after its copy.
    let link = copied > 0 ? copied * each + min(1, copied) * gpuEach : 0
    let gpu = gpuBefore + (onGPU > 0 ? costs.gpuPerLaunch + onGPU * gpuEach : 0)
    return max(cpu, link, gpu)
  }

  /// With a growing amount the CPU's time grows and the others' fall, so the best amount is where
  /// the lines cross; the ends are tried too, since there the line jumps.
  var makespan: Double {
    // Without copies the CPU must take all misses.
    let least = mayCopy ? 0 : misses
    let start = cpuBefore + costs.cpuFirst
    let withLink =
      (misses * costs.linkPerExpert + gpuEach - start) / (cpuEach + costs.linkPerExpert)
    let withGPU =
      (gpuBefore + costs.gpuPerLaunch + activated * gpuEach - start) / (cpuEach + gpuEach)
    let crossing = max(withLink, withGPU)
    let amounts = [least, misses, activated] + [withLink, withGPU, crossing]
    let times = amounts.map { amount in
      time(onCPU: amount.isFinite ? min(activated, max(least, amount)) : least)
    }
    return (times.min() ?? 0) + (hasHandshake ? costs.handshake : 0)
  }
}
