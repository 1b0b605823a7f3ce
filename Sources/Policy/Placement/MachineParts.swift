import Experts

/// A graphics card in figures, and what its end of the link gives.
public struct GPUProfile: Equatable, Sendable {
  public var name: String
  /// For people, such as `NVIDIA GeForce RTX 4090, 24 GB`.
  public var title: String
  public var memoryBytes: Int
  /// Memory that no plan may use: the driver's context, library workspaces, fragments.
  public var marginBytes: Int
  /// How fast kernels read quantised weights.
  public var bytesPerMicrosecond: Double
  /// Parameters times tokens that are multiplied and added in a microsecond.
  public var parameterTokensPerMicrosecond: Double
  /// Starting the kernels of one group of experts.
  public var launchMicroseconds: Double
  /// One expert, beside reading its weights.
  public var expertMicroseconds: Double
  /// Tokens of an expert up to which reading takes longer than computing.
  public var kneeTokens: Int
  /// Starting all kernels of the dense part of one layer.
  public var layerMicroseconds: Double
  /// Telling the host what was routed and bringing its results back, once in each MoE layer.
  public var handshakeMicroseconds: Double
  public var linkBytesPerMicrosecond: Double
  /// Before the first byte of a copy.
  public var linkLatencyMicroseconds: Double
  /// Where the machine's system keeps weights on the GPU in another format than in host memory:
  /// bytes that a weight takes there, dense weights and copied experts alike. Else nil.
  public var bytesPerWeight: Double?
}

/// A host in figures: its memory, its CPU, and its end of the link.
public struct HostProfile: Equatable, Sendable {
  public var name: String
  public var title: String
  public var memoryBytes: Int
  /// Memory that is left to the system and to everything else that runs.
  public var marginBytes: Int
  public var coreCount: Int
  public var linkBytesPerMicrosecond: Double
  /// What is left of the link's speed while the CPU reads weights: above 0, at most 1.
  public var overlappedLinkShare: Double
  /// By element type, `CostModel.defaultElementType` for all others; while copies run.
  public var cpu: [String: CostModel.CPU]
}

/// Where a machine's file says that its host is.
public enum HostReference: Equatable, Sendable {
  /// The name of a host's file.
  case named(String)
  case described(HostProfile)
}

extension GPUProfile {
  /// No GPU: memory for nothing, so that its speeds are never asked for.
  public static let none = GPUProfile(
    name: "none", title: "no GPU", memoryBytes: 0, marginBytes: 0, bytesPerMicrosecond: 1,
    parameterTokensPerMicrosecond: 1, launchMicroseconds: 0, expertMicroseconds: 0, kneeTokens: 0,
    layerMicroseconds: 0, handshakeMicroseconds: 0, linkBytesPerMicrosecond: 1,
    linkLatencyMicroseconds: 0)
}
