/// Why a model's dense side cannot run on a device.
public enum HybridDecodingError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The kernels do not know something that a layer has.
  case unsupported(layer: Int, what: String)
  /// A layer is asked for that the model does not have.
  case noLayer(asked: Int, layerCount: Int)
  /// What serves the MoE layers was made for other chunks, or another model.
  case wrongExchange(expected: String, found: String)

  public var description: String {
    switch self {
    case .unsupported(let layer, let what):
      "layer \(layer) cannot run on the device, whose kernels have no \(what); keep the layer on the "
        + "processor, or run with --device cpu"
    case .noLayer(let asked, let count):
      "layer \(asked) cannot stay on the processor: the model has the layers 0 to \(count - 1)"
    case .wrongExchange(let expected, let found):
      "the executor of the MoE layers is made for \(found), but the decoder needs \(expected)"
    }
  }
}
