import Experts

/// The optimum by looking at every assignment: slow and simple, the oracle of the tests.
public struct ExhaustiveScheduler: LayerScheduler {
  private var layer = SortedLayer()
  private var writer = AssignmentWriter()

  public init() {}

  /// - Complexity: O(2^n × n).
  public mutating func schedule(_ layerCase: LayerCase, into plan: inout LayerPlan) {
    layer.take(layerCase)
    precondition(layer.count <= 20, "too many experts for the exhaustive search")
    var best = Double.infinity
    var bestAssignment: [Bool] = []
    for bits in 0..<(1 << layer.count) {
      let onGPU = (0..<layer.count).map { bits >> $0 & 1 == 1 }
      let end = layer.sums(of: onGPU).end(layer)
      if end < best { (best, bestAssignment) = (end, onGPU) }
    }
    writer.write(layer, of: layerCase, onGPU: bestAssignment, into: &plan)
    plan.lowerBound = plan.makespan
  }
}
