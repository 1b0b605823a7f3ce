/// What the experts of one layer cost on each lane, in microseconds (any unit will do, as long as
/// it is the same everywhere).
///
/// The shape of the costs is the paper's observation (arXiv 2504.05897, section III): a copy over
/// the link takes the same time for every expert of a layer; the GPU's time hardly depends on the
/// load; the CPU's time is linear in the load, and the first expert that the CPU computes in a layer
/// costs something extra. `cpuPerExpert`, `gpuPerLaunch` and the knee are ours: reading an expert's
/// weights costs the CPU a time of its own, and a launch is paid once for all residents.
public struct LayerCosts: Equatable, Sendable {
  /// Paid once in a layer where the CPU computes anything.
  public var cpuFirst: Double = 0
  /// Paid for every expert that the CPU computes, whatever its load.
  public var cpuPerExpert: Double = 0
  /// Paid for every token of an expert on the CPU.
  public var cpuPerToken: Double

  /// Paid once for all resident experts of the plan and once for each expert that arrives later.
  public var gpuPerLaunch: Double = 0
  /// Paid for every expert that the GPU computes.
  public var gpuPerExpert: Double
  /// Paid for every token of an expert beyond `gpuKnee` tokens.
  public var gpuPerToken: Double = 0
  /// The load up to which the GPU's time does not grow.
  public var gpuKnee: Int = 0

  /// One expert's copy to the GPU while the CPU computes (the link is slower then).
  public var linkPerExpert: Double
  /// One expert's copy in a plan where the CPU computes nothing; at most `linkPerExpert`.
  public var linkPerExpertAlone: Double

  /// The shared expert, which occupies the GPU first; 0 where the model has none.
  public var sharedOnGPU: Double = 0
  /// Added once to every layer: telling the host what was routed and returning its results.
  public var handshake: Double = 0

  public init(
    cpuPerToken: Double, gpuPerExpert: Double, linkPerExpert: Double,
    linkPerExpertAlone: Double? = nil
  ) {
    self.cpuPerToken = cpuPerToken
    self.gpuPerExpert = gpuPerExpert
    self.linkPerExpert = linkPerExpert
    self.linkPerExpertAlone = linkPerExpertAlone ?? linkPerExpert
  }

  /// An expert on the CPU, without `cpuFirst`.
  public func cpu(load: Int) -> Double { cpuPerExpert + cpuPerToken * Double(load) }

  /// An expert on the GPU, without `gpuPerLaunch`.
  public func gpu(load: Int) -> Double {
    gpuPerExpert + gpuPerToken * Double(max(0, load - gpuKnee))
  }
}
