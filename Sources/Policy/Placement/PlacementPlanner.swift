import Experts

/// Decides what of a model goes into GPU memory and what stays in the host's.
///
/// The intuition: one list of everything that could be on the GPU, most valuable first, and the GPU
/// takes the longest beginning of that list that fits. What every token needs comes first: a byte of
/// a layer's dense part is read for each token, a byte of a routed expert only when it is activated.
/// Then come places for copies on their way, then the layers that a rule wants on the GPU, then slots,
/// one for each layer in turn, so that all layers have the same chance of a hit.
///
/// Since a list's beginnings are nested, more memory never takes anything away, and reading the list
/// backwards gives the order in which things are given up: slots, copies, attention with its
/// key-value cache (last layers first), the output head, the rest of the dense part.
///
/// Rejected: filling the rest of the memory with whatever still fits (a smaller layer's slot after a
/// larger one's did not fit), which wins less than one slot and makes plans jump as memory grows; and
/// moving dense layers to the CPU in order to gain slots, which costs every token more than it saves.
public enum PlacementPlanner {
  /// Tokens that prefill computes at once; the workspace is made for them.
  public static let chunkTokens = 512

  /// The plan for a request.
  ///
  /// - Complexity: linear in the number of experts of the model.
  public static func plan(_ request: PlacementRequest) -> PlacementPlan {
    var builder = PlacementBuilder(request)
    builder.fillGPU()
    return builder.finish()
  }
}

/// The state of a plan that is being made.
struct PlacementBuilder {
  let request: PlacementRequest
  let memory: Int
  let margin: Int
  private(set) var used = 0
  private(set) var isFull = false
  var layers: [PlacementPlan.Layer]
  var output = PlacementDevice.cpu
  var hasWorkspace = false
  var hasStaging = false
  var reductions: [PlacementPlan.Reduction] = []

  private var shape: ModelShape { request.shape }

  init(_ request: PlacementRequest) {
    self.request = request
    memory = min(
      request.machine.gpu.memoryBytes, max(0, request.gpuMemoryBytes ?? Int.max))
    margin = min(memory, request.machine.gpu.marginBytes)
    layers = request.shape.layers.indices.map { index in
      let experts = request.shape.layers[index].experts
      return PlacementPlan.Layer(
        attention: .cpu, feedForward: .cpu,
        experts: experts.map { _ in request.wish(index).experts }, expertCount: experts?.count ?? 0,
        slots: 0)
    }
  }

  /// Takes the next thing of the list if it and all before it fit.
  private mutating func take(_ bytes: Int) -> Bool {
    guard !isFull, bytes <= memory - margin - used else {
      isFull = true
      return false
    }
    used += bytes
    return true
  }

  mutating func fillGPU() {
    let wantsAny =
      request.outputDevice == .gpu
      || layers.indices.contains { request.wish($0).attention == .gpu || wantsSlots($0) }
    if let sizes = request.engineSizes {
      if wantsAny { fillDense(sizes) }
    } else {
      if wantsAny { hasWorkspace = take(workspaceBytes) }
      fillDense()
    }
    fillExperts()
  }

  /// As the engine takes it: all or nothing.
  private mutating func fillDense(_ sizes: EngineSizes) {
    hasWorkspace = take(sizes.dense)
    guard hasWorkspace else {
      reductions.append(.feedForwardOnCPU(layers: layers.count))
      return
    }
    for index in layers.indices {
      layers[index].attention = request.wish(index).attention
      layers[index].feedForward = request.wish(index).feedForward
    }
    output = request.outputDevice
  }

  private mutating func fillDense() {
    var missing = 0
    for index in layers.indices where request.wish(index).feedForward == .gpu {
      if take(feedForwardBytes(index)) { layers[index].feedForward = .gpu } else { missing += 1 }
    }
    if missing > 0 { reductions.insert(.feedForwardOnCPU(layers: missing), at: 0) }
    if request.outputDevice == .gpu {
      if take(shape.output.bytes) { output = .gpu } else { reductions.insert(.outputOnCPU, at: 0) }
    }
    missing = 0
    for index in layers.indices where request.wish(index).attention == .gpu {
      if take(attentionBytes(index) + keyValueBytes(index)) {
        layers[index].attention = .gpu
      } else {
        missing += 1
      }
    }
    if missing > 0 { reductions.insert(.attentionOnCPU(layers: missing), at: 0) }
  }

  private func wantsSlots(_ index: Int) -> Bool {
    guard let experts = layers[index].experts else { return false }
    return experts == .gpu
      || experts == .cached && request.slots.limit(experts: layers[index].expertCount) > 0
  }

  private mutating func fillExperts() {
    let cached = layers.indices.filter { layers[$0].experts == .cached }
    if !cached.isEmpty {
      hasStaging = take(stagingBytes)
      if !hasStaging { reductions.insert(.noCopies, at: 0) }
    }
    var missing = 0
    for index in layers.indices where layers[index].experts == .gpu {
      while layers[index].slots < layers[index].expertCount, take(slotBytes(index)) {
        layers[index].slots += 1
      }
      if layers[index].slots < layers[index].expertCount {
        layers[index].experts = .cached
        missing += 1
      }
    }
    if missing > 0, cached.isEmpty { reductions.insert(.noCopies, at: 0) }
    if missing > 0 { reductions.insert(.layersOnlyCached(missing), at: 0) }
    let limits = cached.map { request.slots.limit(experts: layers[$0].expertCount) }
    for level in 0..<(limits.max() ?? 0) {
      for (index, limit) in zip(cached, limits) where level < limit && !isFull {
        if take(slotBytes(index)) { layers[index].slots += 1 }
      }
      if isFull { break }
    }
    let wanted = limits.reduce(0, +)
    let given = cached.reduce(0) { $0 + layers[$1].slots }
    if given < wanted, request.slots != .asFit {
      reductions.insert(.fewerSlots(wanted: wanted, given: given), at: 0)
    }
  }
}

// Sizes.
extension PlacementBuilder {
  func attentionBytes(_ index: Int) -> Int {
    request.machine.bytesOnGPU(request.shape.layers[index].attention)
  }

  func feedForwardBytes(_ index: Int) -> Int {
    let layer = request.shape.layers[index]
    return request.machine.bytesOnGPU(layer.router + layer.shared + layer.denseFeedForward)
  }

  func keyValueBytes(_ index: Int) -> Int {
    request.shape.layers[index].keyValueRow.bytes(
      context: request.context, type: request.keyValueType)
  }

  /// One expert of a model layer on the GPU.
  func slotBytes(_ index: Int) -> Int {
    if let sizes = request.engineSizes { return sizes.slot }
    guard let footprint = request.shape.layers[index].experts?.footprint else { return 0 }
    return request.machine.bytesOnGPU(
      WeightShare(bytes: footprint.hostBytes, parameters: footprint.parameters))
  }

  /// Two of the largest experts, one that arrives while the one before is computed, or as many as the
  /// engine has.
  var stagingBytes: Int {
    (request.engineSizes?.extraSlots ?? 2) * (layers.indices.map(slotBytes).max() ?? 0)
  }

  /// Activations of one chunk in F32, of the layer that needs most, and one row of logits.
  ///
  /// For each token: eight rows of the hidden size (input, residual, norm, queries, keys, values,
  /// attention's and layer's output), and for each feed-forward network that it passes its two
  /// intermediate rows and its output.
  var workspaceBytes: Int {
    if let sizes = request.engineSizes { return sizes.workspace }
    let hidden = request.shape.hiddenSize
    let widest = request.shape.layers.map { layer in
      let networks = [layer.shared.parameters, layer.denseFeedForward.parameters]
        .filter { $0 > 0 }.map { 2 * ($0 / (3 * hidden)) + hidden }
      let experts =
        layer.experts.map {
          $0.activated * (2 * ($0.footprint.parameters / (3 * hidden)) + hidden)
        } ?? 0
      return networks.reduce(experts, +)
    }
    let chunk = min(PlacementPlanner.chunkTokens, request.context)
    return 4 * (chunk * (8 * hidden + (widest.max() ?? 0)) + request.shape.vocabularySize)
  }
}
