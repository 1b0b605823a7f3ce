import Experts

/// A time that no plan of a case can beat.
public enum LowerBound {
  /// - Complexity: O(n) for each of a fixed number of steps.
  public static func of(_ layerCase: LayerCase) -> Double {
    var layer = SortedLayer()
    layer.take(layerCase)
    var least = 0.0
    for item in layer.items { least = max(least, min(item.cpu, item.gpu)) }
    return layer.handshake + max(layer.gpuIdleEnd, least)
  }
}
