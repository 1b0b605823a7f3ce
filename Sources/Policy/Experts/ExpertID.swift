/// One routed expert of the model.
///
/// `layer` counts MoE layers from 0 (dense layers are not counted), `index` the experts of the layer.
public struct ExpertID: Hashable, Comparable, Sendable {
  public var layer: Int
  public var index: Int

  public init(layer: Int, index: Int) {
    self.layer = layer
    self.index = index
  }

  /// By layer, then by index: the order in which a step meets them.
  public static func < (left: ExpertID, right: ExpertID) -> Bool {
    (left.layer, left.index) < (right.layer, right.index)
  }
}

/// What a forward pass is for: reading a prompt or writing the next token.
public enum Phase: String, Sendable, CaseIterable {
  case prefill, decode
}
