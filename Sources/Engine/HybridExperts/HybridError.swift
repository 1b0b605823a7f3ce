/// Why the experts of a model cannot be shared out between CPU and GPU.
public enum HybridError: Error, Equatable, Sendable, CustomStringConvertible {
  case noExperts(layer: Int)
  case unevenExperts(layer: Int)
  /// The device's router wrote what no router can: its memory or a kernel is broken.
  case invalidRouting(layer: Int, reason: String)
  /// More copies stay than there are slots.
  case noSlot(experts: Int)
  /// A step was begun or served out of order.
  case wrongStep(reason: String)

  public var description: String {
    switch self {
    case .noExperts(let layer):
      "layer \(layer) has no routed experts to share out; run with --device cpu"
    case .unevenExperts(let layer):
      "the experts of layer \(layer) differ in element type or shape, which the GPU lane cannot "
        + "compute in one launch; run with --device cpu, or quantise the file evenly"
    case .invalidRouting(let layer, let reason):
      "the GPU routed layer \(layer) wrongly (\(reason)): its memory or driver is at fault; start "
        + "again, or run with --device cpu"
    case .noSlot(let experts):
      "\(experts) experts of a layer are to be copied, but the GPU has fewer slots; choose a larger "
        + "cache, or run with --device cpu"
    case .wrongStep(let reason): "the step cannot be served: \(reason)"
    }
  }
}
