// From what fits on the GPU to the whole plan.
extension PlacementBuilder {
  /// The share of host memory that may be pinned. Pinned pages cannot be moved or swapped; drivers
  /// refuse or the system suffers where nearly all memory is.
  static let pinnedShare = 0.8

  func finish() -> PlacementPlan {
    let host = hostParts
    let needed = host.reduce(0) { $0 + $1.bytes }
    let available = request.machine.host.memoryBytes
    var reductions = memory == 0 ? [] : self.reductions
    if needed > available {
      reductions.append(.hostMemoryLacks(bytes: needed - available))
    }
    var plan = PlacementPlan(
      request: request, gpuBytes: memory, gpuParts: gpuParts, hostBytes: available,
      hostParts: host
        + (needed <= available ? [.init(kind: .unused, bytes: available - needed)] : []),
      pinnedBytes: pinnedBytes, layers: layers, output: output, copiesExperts: hasStaging,
      reductions: reductions, speed: nil)
    if needed <= available { plan.speed = PlacementSpeed(plan) }
    return plan
  }

  private var gpuParts: [PlacementPlan.Part] {
    let attention = layers.indices.filter { layers[$0].attention == .gpu }
    let feedForward = layers.indices.filter { layers[$0].feedForward == .gpu }
    let sizes = hasWorkspace ? request.engineSizes : nil
    let parts: [PlacementPlan.Part] = [
      .init(
        kind: .attention,
        bytes: sizes?.attention ?? attention.reduce(0) { $0 + attentionBytes($1) }),
      .init(
        kind: .keyValueCache,
        bytes: sizes?.keyValueCache ?? attention.reduce(0) { $0 + keyValueBytes($1) }),
      .init(
        kind: .feedForward,
        bytes: sizes?.feedForward ?? feedForward.reduce(0) { $0 + feedForwardBytes($1) }),
      .init(
        kind: .output,
        bytes: sizes?.output ?? (output == .gpu ? request.shape.output.bytes : 0)),
      .init(kind: .workspace, bytes: hasWorkspace ? workspaceBytes : 0),
      .init(kind: .staging, bytes: hasStaging ? stagingBytes : 0),
      .init(
        kind: .expertSlots,
        bytes: layers.indices.reduce(0) { $0 + layers[$1].slots * slotBytes($1) }),
      .init(kind: .margin, bytes: margin),
      .init(kind: .unused, bytes: memory - margin - used),
    ]
    return parts.filter { $0.bytes > 0 }
  }

  /// Whether a layer's experts need a copy in host memory: all but those that are entirely in slots.
  private func keepsHostCopy(_ index: Int) -> Bool {
    layers[index].experts != nil && layers[index].slots < layers[index].expertCount
  }

  /// What host memory must hold. What is on the GPU only is read from the file once and needs none.
  private var hostParts: [PlacementPlan.Part] {
    let shape = request.shape
    let attention = layers.indices.filter { layers[$0].attention == .cpu }
    let feedForward = layers.indices.filter { layers[$0].feedForward == .cpu }
    let experts = layers.indices.filter(keepsHostCopy)
    let hasOwnFormat = request.machine.gpu.bytesPerWeight != nil && hasStaging
    let parts: [PlacementPlan.Part] = [
      .init(
        kind: .experts,
        bytes: experts.reduce(0) { sum, index in
          sum + layers[index].expertCount
            * (shape.layers[index].experts?.footprint.hostBytes ?? 0)
        }),
      .init(
        kind: .expertCopies,
        bytes: hasOwnFormat
          ? experts.reduce(0) { $0 + layers[$1].expertCount * slotBytes($1) } : 0),
      .init(kind: .embedding, bytes: shape.embedding.bytes),
      .init(
        kind: .attention, bytes: attention.reduce(0) { $0 + shape.layers[$1].attention.bytes }),
      .init(kind: .keyValueCache, bytes: attention.reduce(0) { $0 + keyValueBytes($1) }),
      .init(
        kind: .feedForward,
        bytes: feedForward.reduce(0) { sum, index in
          let layer = shape.layers[index]
          return sum + layer.router.bytes + layer.shared.bytes + layer.denseFeedForward.bytes
        }),
      .init(kind: .output, bytes: output == .cpu ? shape.output.bytes : 0),
      .init(kind: .workspace, bytes: workspaceBytes),
      .init(kind: .margin, bytes: request.machine.host.marginBytes),
    ]
    return parts.filter { $0.bytes > 0 }
  }

  /// Host bytes from which copies can start at any time.
  private var pinnedBytes: Int {
    guard hasStaging else { return 0 }
    let copied = layers.indices.filter { layers[$0].experts == .cached && keepsHostCopy($0) }
    let wanted = copied.reduce(0) { $0 + layers[$1].expertCount * slotBytes($1) }
    return min(wanted, Int(Double(request.machine.host.memoryBytes) * Self.pinnedShare))
  }
}
