import Models

/// What dense weights in device memory are for.
public enum DenseRole: String, CaseIterable, Sendable {
  case attention
  /// The projections from latents to keys as F32, which latent attention reads beside the packed ones.
  case keyProjections
  case norms
  case routers
  case sharedExperts
  case denseFeedForward
  case outputHead
}

/// Which parts of a model's dense side stay on the processor. What is computed where changes no bit.
public struct DensePlacement: Sendable, Equatable {
  /// Layers whose attention and feed-forward, experts included, the processor computes. Whoever serves the
  /// MoE layers is not asked to serve these; other layers foresee their experts like those of all layers.
  public var hostLayers: Set<Int>
  public var outputHeadOnHost: Bool

  /// - Parameter hostLayers: numbers of layers in the file.
  public init(hostLayers: Set<Int> = [], outputHeadOnHost: Bool = false) {
    self.hostLayers = hostLayers
    self.outputHeadOnHost = outputHeadOnHost
  }
}

/// Memory that a model's dense side takes on a device.
public struct DeviceFootprint: Sendable, Equatable {
  public var weightByteCounts: [DenseRole: Int] = [:]
  /// Keys and values of the whole context.
  public var cacheByteCount = 0
  /// Activations of a chunk of tokens over the whole context.
  public var workspaceByteCount = 0
  /// The device's part of what it and the host tell each other in MoE layers.
  public var exchangeByteCount = 0
  /// Pinned host memory.
  public var pinnedByteCount = 0

  /// Bytes of device memory, experts' slots excepted.
  public var byteCount: Int {
    weightByteCounts.values.reduce(0, +) + cacheByteCount + workspaceByteCount + exchangeByteCount
  }
}
