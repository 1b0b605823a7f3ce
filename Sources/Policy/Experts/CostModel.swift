/// What a machine's lanes cost, for experts of any size: measured at warm-up or read from a machine
/// profile, and used by scheduler, prefetcher, cache and simulator alike.
///
/// All times are microseconds; bytes per microsecond are MB/s ÷ 1. CPU figures are those of a CPU
/// that reads weights while copies run, because that is when plans use them.
public struct CostModel: Equatable, Sendable {
  /// The CPU, for one element type (a quantisation such as `Q4_K`).
  public struct CPU: Equatable, Sendable {
    /// Extra time of the first expert of a layer: waking the team, cold caches.
    public var firstMicroseconds: Double
    /// How fast an expert's weights are read.
    public var bytesPerMicrosecond: Double
    /// Parameters times tokens that are multiplied and added in a microsecond, beyond the reading.
    public var parameterTokensPerMicrosecond: Double

    public init(
      firstMicroseconds: Double, bytesPerMicrosecond: Double, parameterTokensPerMicrosecond: Double
    ) {
      self.firstMicroseconds = firstMicroseconds
      self.bytesPerMicrosecond = bytesPerMicrosecond
      self.parameterTokensPerMicrosecond = parameterTokensPerMicrosecond
    }
  }

  public struct GPU: Equatable, Sendable {
    public var launchMicroseconds: Double
    /// Time of an expert beside the reading of its weights.
    public var expertMicroseconds: Double
    public var bytesPerMicrosecond: Double
    /// Tokens of an expert up to which reading its weights takes longer than computing.
    public var kneeTokens: Int
    /// Parameters times tokens in a microsecond, beyond the knee.
    public var parameterTokensPerMicrosecond: Double

    public init(
      launchMicroseconds: Double, expertMicroseconds: Double, bytesPerMicrosecond: Double,
      kneeTokens: Int, parameterTokensPerMicrosecond: Double
    ) {
      self.launchMicroseconds = launchMicroseconds
      self.expertMicroseconds = expertMicroseconds
      self.bytesPerMicrosecond = bytesPerMicrosecond
      self.kneeTokens = kneeTokens
      self.parameterTokensPerMicrosecond = parameterTokensPerMicrosecond
    }
  }

  /// Copies from pinned host memory to the GPU.
  public struct Link: Equatable, Sendable {
    public var latencyMicroseconds: Double
    /// With an idle CPU.
    public var bytesPerMicrosecond: Double
    /// While the CPU reads weights; at most `bytesPerMicrosecond`.
    public var overlappedBytesPerMicrosecond: Double

    public init(
      latencyMicroseconds: Double, bytesPerMicrosecond: Double,
      overlappedBytesPerMicrosecond: Double
    ) {
      self.latencyMicroseconds = latencyMicroseconds
      self.bytesPerMicrosecond = bytesPerMicrosecond
      self.overlappedBytesPerMicrosecond = overlappedBytesPerMicrosecond
    }
  }

  /// By element type; `defaultElementType` serves the types that were not measured.
  public var cpu: [String: CPU]
  public var gpu: GPU
  public var link: Link
  /// Added once to each MoE layer.
  public var handshakeMicroseconds: Double

  /// The key of `cpu` that stands for every element type without an entry of its own.
  public static let defaultElementType = "*"

  public init(cpu: [String: CPU], gpu: GPU, link: Link, handshakeMicroseconds: Double) {
    self.cpu = cpu
    self.gpu = gpu
    self.link = link
    self.handshakeMicroseconds = handshakeMicroseconds
  }

  /// The costs of a layer whose experts have this footprint; `nil` where the CPU's element type is
  /// neither listed nor has a default. `sharedOnGPU` is left at 0 for the caller, who knows the
  /// tokens of the step.
  public func layerCosts(for expert: ExpertFootprint) -> LayerCosts? {
    guard let cpu = cpu[expert.elementType] ?? cpu[Self.defaultElementType] else { return nil }
    let parameters = Double(expert.parameters)
    let linkBytes = Double(expert.linkBytes)
    var costs = LayerCosts(
      cpuPerToken: parameters / cpu.parameterTokensPerMicrosecond,
      gpuPerExpert: gpu.expertMicroseconds + linkBytes / gpu.bytesPerMicrosecond,
      linkPerExpert: link.latencyMicroseconds + linkBytes / link.overlappedBytesPerMicrosecond,
      linkPerExpertAlone: link.latencyMicroseconds + linkBytes / link.bytesPerMicrosecond)
    costs.cpuFirst = cpu.firstMicroseconds
    costs.cpuPerExpert = Double(expert.hostBytes) / cpu.bytesPerMicrosecond
    costs.gpuPerLaunch = gpu.launchMicroseconds
    costs.gpuPerToken = parameters / gpu.parameterTokensPerMicrosecond
    costs.gpuKnee = gpu.kneeTokens
    costs.handshake = handshakeMicroseconds
    return costs
  }
}

/// The size of one expert.
public struct ExpertFootprint: Equatable, Sendable {
  /// Bytes that the CPU reads to compute it.
  public var hostBytes: Int
  /// Bytes that are copied to the GPU and read there; the same as `hostBytes` in this engine,
  /// fewer where a system keeps a second copy in another format.
  public var linkBytes: Int
  /// Weights, of all its matrices.
  public var parameters: Int
  /// The name of the element type (or mix) that decides the CPU's speed, such as `Q4_K`.
  public var elementType: String

  public init(hostBytes: Int, linkBytes: Int? = nil, parameters: Int, elementType: String) {
    self.hostBytes = hostBytes
    self.linkBytes = linkBytes ?? hostBytes
    self.parameters = parameters
    self.elementType = elementType
  }
}
