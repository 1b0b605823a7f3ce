/// What an engine takes of GPU memory to do what a request wishes, where that is known to the byte.
///
/// The planner's own sizes are those of a model's file; an engine packs weights anew, and only it knows its
/// work space. With these figures a plan takes exactly what the engine will ask for: what every token
/// needs goes to the GPU as it is wished, all of it or nothing, and slots get the rest.
public struct EngineSizes: Equatable, Sendable {
  /// Bytes, all layers that are wished there together.
  public var attention = 0
  public var keyValueCache = 0
  public var feedForward = 0
  public var output = 0
  /// Work space of every kind.
  public var workspace = 0
  /// Bytes of one slot, in whatever layer.
  public var slot = 0
  /// Slots beside the cache's, for copies on their way.
  public var extraSlots = 0

  public init() {}

  /// Bytes of all but slots.
  public var dense: Int { attention + keyValueCache + feedForward + output + workspace }
}

/// What an engine's dense side takes in a decode step of one token, in microseconds, where that is known
/// better than from a machine's figures for layers as such.
public struct EngineTimes: Equatable, Sendable {
  /// Everything on the GPU that routed experts wait for or that waits for them; the processor's layers
  /// and output head are not in it.
  public var dense: Double
  /// Shared experts, beside the routed ones: by model layer.
  public var shared: [Int: Double]
  /// What host and GPU spend on telling each other, in each MoE layer.
  public var handshake: Double

  public init(dense: Double, shared: [Int: Double], handshake: Double) {
    self.dense = dense
    self.shared = shared
    self.handshake = handshake
  }
}
