import Experts

/// Times of the parts of one step, where the plan puts them.
struct LayerTimes {
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

  /// Whether the engine's own times have a layer in them.
  func isCounted(_ index: Int) -> Bool {
    plan.request.engineTimes != nil && plan.layers[index].attention == .gpu
      && plan.layers[index].feedForward == .gpu
  }

  /// The output head where the engine's own times do not have it.
  var ownOutput: Double {
    plan.request.engineTimes != nil && plan.output == .gpu ? 0 : output
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
    _ index: Int, activated: Double, load: Double, hitRate: Double, tokens: Int,
    times: EngineTimes? = nil
  ) -> Double {
    guard let moeLayer = shape.moeLayers.firstIndex(of: index),
      var costs = machine.layerCosts(of: shape, layer: moeLayer, tokens: tokens)
    else { return 0 }
    if let times {
      costs.sharedOnGPU = times.shared[index] ?? costs.sharedOnGPU
      costs.handshake = times.handshake
    }
    let layer = plan.layers[index]
    var split = LaneSplit(costs: costs, activated: activated, load: load)
    split.misses = activated * (1 - hitRate)
    split.mayCopy = layer.experts == .cached && plan.copiesExperts
    if layer.feedForward == .cpu {
      split.cpuBefore = onCPU(shape.layers[index].shared, tokens: tokens)
      split.gpuBefore = 0
    }
    split.hasHandshake = !plan.isOnCPUOnly
    return load == 1 ? split.meanMakespan(hitRate: hitRate) : split.makespan
  }
}
