import Experts

/// A machine in figures: a GPU, a host, and the link between them.
///
/// Made of two data files, since people put the same card into different hosts; each number of a
/// file carries the sentence that says where it comes from. From a profile follow the cost model that
/// schedulers and the simulator use, and the times of the dense part of a layer.
public struct MachineProfile: Equatable, Sendable {
  /// Such as `rtx-4090+ddr5`: the machine's file and the host's.
  public var name: String
  public var gpu: GPUProfile
  public var host: HostProfile

  public init(gpu: GPUProfile, host: HostProfile) {
    name = "\(gpu.name)+\(host.name)"
    self.gpu = gpu
    self.host = host
  }

  /// Bytes over the link in a microsecond while the CPU rests: what the slower end gives.
  public var linkBytesPerMicrosecond: Double {
    min(gpu.linkBytesPerMicrosecond, host.linkBytesPerMicrosecond)
  }

  /// The costs of all lanes.
  public var costModel: CostModel {
    let gpuCosts = CostModel.GPU(
      launchMicroseconds: gpu.launchMicroseconds, expertMicroseconds: gpu.expertMicroseconds,
      bytesPerMicrosecond: gpu.bytesPerMicrosecond, kneeTokens: gpu.kneeTokens,
      parameterTokensPerMicrosecond: gpu.parameterTokensPerMicrosecond)
    let link = CostModel.Link(
      latencyMicroseconds: gpu.linkLatencyMicroseconds,
      bytesPerMicrosecond: linkBytesPerMicrosecond,
      overlappedBytesPerMicrosecond: linkBytesPerMicrosecond * host.overlappedLinkShare)
    return CostModel(
      cpu: host.cpu, gpu: gpuCosts, link: link, handshakeMicroseconds: gpu.handshakeMicroseconds)
  }

  /// The size of an expert on this machine: what its system copies over the link may differ from
  /// what the CPU reads (`GPUProfile.bytesPerWeight`).
  ///
  /// - Parameter layer: the MoE layer, as in `ExpertID`.
  public func expertFootprint(of shape: ModelShape, layer: Int) -> ExpertFootprint {
    var footprint = shape.expertFootprint(layer: layer)
    footprint.linkBytes = bytesOnGPU(
      WeightShare(bytes: footprint.hostBytes, parameters: footprint.parameters))
    return footprint
  }

  /// The costs of a MoE layer for a step of this many tokens, the shared expert included; nil where
  /// the host lists neither the experts' element type nor a default.
  ///
  /// - Parameter layer: the MoE layer, as in `ExpertID`.
  public func layerCosts(of shape: ModelShape, layer: Int, tokens: Int) -> LayerCosts? {
    var costs = costModel.layerCosts(for: expertFootprint(of: shape, layer: layer))
    costs?.sharedOnGPU = sharedMicroseconds(of: shape, layer: layer, tokens: tokens)
    return costs
  }

  /// Bytes that weights take on the GPU.
  public func bytesOnGPU(_ weights: WeightShare) -> Int {
    guard let bytesPerWeight = gpu.bytesPerWeight else { return weights.bytes }
    return Int((Double(weights.parameters) * bytesPerWeight).rounded())
  }
}

// The dense part of a step, always on the GPU: a fixed time for launching a layer's kernels, then
// reading the weights, then multiplying. Reading and multiplying are added, not overlapped: one of
// them is small wherever the other is large.
extension MachineProfile {
  /// Everything of a layer but its routed and shared experts: attention, norms, router, and the
  /// feed-forward network of a dense layer.
  ///
  /// - Parameters:
  ///   - modelLayer: counted from 0 over all layers, dense ones included.
  ///   - tokens: of this step, all of one sequence.
  ///   - context: positions in the cache after this step, at least `tokens`.
  public func denseMicroseconds(
    of shape: ModelShape, modelLayer: Int, tokens: Int, context: Int,
    keyValueType: KeyValueElement = .f16
  ) -> Double {
    let layer = shape.layers[modelLayer]
    return gpu.layerMicroseconds
      + weightMicroseconds(layer.router + layer.denseFeedForward, tokens: tokens)
      + attentionMicroseconds(
        of: shape, modelLayer: modelLayer, tokens: tokens, context: context,
        keyValueType: keyValueType)
  }

  /// The attention alone, without the start of its kernels.
  func attentionMicroseconds(
    of shape: ModelShape, modelLayer: Int, tokens: Int, context: Int, keyValueType: KeyValueElement
  ) -> Double {
    let layer = shape.layers[modelLayer]
    let cache = layer.keyValueRow.bytes(context: context, type: keyValueType)
    return weightMicroseconds(layer.attention, tokens: tokens)
      + Double(cache) / gpu.bytesPerMicrosecond
      + attended(layer.keyValueRow, tokens: tokens, context: context)
      / gpu.parameterTokensPerMicrosecond
  }

  /// Multiplications of a step's tokens with the positions that they see.
  func attended(_ row: KeyValueRow, tokens: Int, context: Int) -> Double {
    // A token sees the positions up to its own: half of this step's tokens on average.
    let seen = min(
      Double(context) - Double(tokens - 1) / 2, Double(row.positions(context: context)))
    return Double(tokens) * max(1, seen) * Double(row.multiplications)
  }

  /// The shared experts of a MoE layer; 0 where the model has none.
  ///
  /// - Parameter layer: the MoE layer, as in `ExpertID`.
  public func sharedMicroseconds(of shape: ModelShape, layer: Int, tokens: Int) -> Double {
    let shared = shape.layers[shape.moeLayers[layer]].shared
    guard shared.parameters > 0 else { return 0 }
    return gpu.launchMicroseconds + gpu.expertMicroseconds
      + weightMicroseconds(shared, tokens: tokens)
  }

  /// The output head.
  ///
  /// - Parameter tokens: those whose logits are wanted; 1 in prefill and decode alike.
  public func outputMicroseconds(of shape: ModelShape, tokens: Int = 1) -> Double {
    gpu.layerMicroseconds + Double(shape.output.bytes) / gpu.bytesPerMicrosecond
      + Double(shape.output.parameters) * Double(tokens) / gpu.parameterTokensPerMicrosecond
  }

  /// Reading weights and multiplying tokens with them.
  func weightMicroseconds(_ weights: WeightShare, tokens: Int) -> Double {
    Double(bytesOnGPU(weights)) / gpu.bytesPerMicrosecond
      + Double(weights.parameters) * Double(tokens) / gpu.parameterTokensPerMicrosecond
  }
}
