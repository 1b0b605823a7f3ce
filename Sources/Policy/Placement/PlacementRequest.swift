/// Where something of the model lives and is computed.
public enum PlacementDevice: String, Equatable, Sendable {
  case cpu, gpu
}

/// What may be done with the routed experts of one layer.
public enum ExpertPlacement: String, Equatable, Sendable, CaseIterable {
  /// In host memory, always computed by the CPU; no slots.
  case cpu
  /// In host memory, some of them in slots of the GPU's cache: the default.
  case cached
  /// All of them on the GPU.
  case gpu
}

/// What is asked of one layer, by default or by a rules file.
public struct LayerWish: Equatable, Sendable {
  public var attention: PlacementDevice
  /// Router, shared experts and the feed-forward network of a dense layer.
  public var feedForward: PlacementDevice
  public var experts: ExpertPlacement

  public init(
    attention: PlacementDevice = .gpu, feedForward: PlacementDevice = .gpu,
    experts: ExpertPlacement = .cached
  ) {
    self.attention = attention
    self.feedForward = feedForward
    self.experts = experts
  }
}

/// How many slots a layer may have at most.
public enum SlotWish: Equatable, Sendable {
  /// As many as fit.
  case asFit
  case perLayer(Int)
  /// Of each layer's experts, rounded as in statistics of traces: half away from zero, at least 1.
  /// From 0, which means none, to 1.
  case ratio(Double)

  func limit(experts: Int) -> Int {
    switch self {
    case .asFit: experts
    case .perLayer(let count): min(max(0, count), experts)
    case .ratio(let ratio):
      ratio > 0 ? min(max(1, Int((Double(experts) * ratio).rounded())), experts) : 0
    }
  }
}

/// A question to the planner: this model on this machine, in this way.
public struct PlacementRequest: Equatable, Sendable {
  public var machine: MachineProfile
  public var shape: ModelShape
  /// Tokens of the one sequence that the key-value cache must hold.
  public var context: Int
  public var keyValueType: KeyValueElement = .f16
  /// GPU memory that may be used, the margin included; nil for all of it.
  public var gpuMemoryBytes: Int?
  public var slots = SlotWish.asFit
  /// One for each layer of the model; empty for the default everywhere.
  public var wishes: [LayerWish] = []
  public var outputDevice = PlacementDevice.gpu
  /// The share of activated experts that are resident in decode, where it is known, such as from
  /// recorded traces; nil for an assumption that depends on the slots.
  public var hitRate: Double?
  /// What the engine that will run the plan takes of memory for these wishes; nil: estimated.
  public var engineSizes: EngineSizes?
  /// What its decode steps take; nil: as the machine's figures say.
  public var engineTimes: EngineTimes?
  /// Tokens of the prompt for which the speed of prefill is told.
  public var promptTokens = 512

  public init(machine: MachineProfile, shape: ModelShape, context: Int) {
    self.machine = machine
    self.shape = shape
    self.context = context
  }

  func wish(_ layer: Int) -> LayerWish {
    wishes.indices.contains(layer) ? wishes[layer] : LayerWish()
  }
}
