/// What goes where: the planner's answer.
///
/// The parts of each memory sum to that memory exactly; what nothing uses is a part too.
public struct PlacementPlan: Equatable, Sendable {
  /// A line of the table.
  public struct Part: Equatable, Sendable {
    public enum Kind: String, Sendable, CaseIterable {
      case attention
      case keyValueCache = "key-value cache"
      case feedForward = "routers, shared and dense feed-forward"
      case output = "output head"
      case embedding = "token embeddings"
      case workspace
      case staging = "copies in flight"
      case expertSlots = "expert slots"
      case experts = "routed experts"
      case expertCopies = "experts in the GPU's format"
      case margin
      case unused
    }
    public var kind: Kind
    public var bytes: Int
  }

  /// Where one layer's parts are.
  public struct Layer: Equatable, Sendable {
    /// The attention and its part of the key-value cache.
    public var attention: PlacementDevice
    public var feedForward: PlacementDevice
    /// Nil in a dense layer.
    public var experts: ExpertPlacement?
    /// Experts of the layer; 0 in a dense one.
    public var expertCount: Int
    /// Slots of the GPU's cache; all experts have one where the layer is entirely on the GPU.
    public var slots: Int
  }

  /// Something that was asked for and that memory does not allow, in the order in which it was
  /// given up.
  public enum Reduction: Equatable, Sendable {
    /// Fewer slots than asked for, in total.
    case fewerSlots(wanted: Int, given: Int)
    /// Layers that were to be entirely on the GPU and are cached in part.
    case layersOnlyCached(Int)
    /// No room for copies on their way: what has no slot is computed by the CPU.
    case noCopies
    /// Attention and key-value cache of so many layers, the last ones, on the CPU.
    case attentionOnCPU(layers: Int)
    case outputOnCPU
    /// Routers, shared experts and dense networks of so many layers, the last ones, on the CPU.
    case feedForwardOnCPU(layers: Int)
    /// Host memory lacks so many bytes: the plan cannot run as it is.
    case hostMemoryLacks(bytes: Int)
  }

  public var request: PlacementRequest
  public var gpuBytes: Int
  public var gpuParts: [Part]
  public var hostBytes: Int
  /// With `hostFits` they sum to `hostBytes`, else they are what would be needed.
  public var hostParts: [Part]
  /// Of host memory, bytes that must be pinned so that experts can be copied.
  public var pinnedBytes: Int
  public var layers: [Layer]
  public var output: PlacementDevice
  /// Whether experts without a slot can be copied to the GPU.
  public var copiesExperts: Bool
  public var reductions: [Reduction]
  /// Nil where the plan cannot run.
  public var speed: PlacementSpeed?

  public var hostFits: Bool {
    !reductions.contains { if case .hostMemoryLacks = $0 { true } else { false } }
  }

  /// Whether everything but routed experts is where it was asked to be.
  public var denseFits: Bool {
    !reductions.contains {
      switch $0 {
      case .attentionOnCPU, .outputOnCPU, .feedForwardOnCPU: true
      case .fewerSlots, .layersOnlyCached, .noCopies, .hostMemoryLacks: false
      }
    }
  }

  /// Whether nothing at all is on the GPU.
  public var isOnCPUOnly: Bool {
    output == .cpu
      && layers.allSatisfy { $0.attention == .cpu && $0.feedForward == .cpu && $0.slots == 0 }
  }

  public var slotCount: Int { layers.reduce(0) { $0 + $1.slots } }
  public var expertCount: Int { layers.reduce(0) { $0 + $1.expertCount } }

  public func bytes(_ kind: Part.Kind, in parts: [Part]) -> Int {
    parts.reduce(0) { $1.kind == kind ? $0 + $1.bytes : $0 }
  }
}

extension PlacementPlan {
  /// The plan of the same request without the GPU.
  public var onCPUAlone: PlacementPlan {
    var request = request
    request.machine.gpu = .none
    request.gpuMemoryBytes = nil
    request.wishes = []
    request.engineSizes = nil
    request.engineTimes = nil
    return PlacementPlanner.plan(request)
  }
}
