import ExpertDirection
import Experts

/// Whether decoding with experts on the GPU is expected to be faster than with all of them on the CPU.
public struct GPUWorthwhile: Sendable, Equatable {
  /// Expected microseconds of all MoE layers of one token.
  public let withGPU: Double
  public let onCPU: Double
  public var isWorthwhile: Bool { withGPU < onCPU }

  /// By the costs alone: as many hits as slots say, misses shared out as well as can be between the CPU
  /// and the link.
  /// - Parameter slots: the cache's slots of each layer: [layers].
  public init(_ lanes: any LaneCosts, slots: [Int]) {
    var (with, alone) = (0.0, 0.0)
    let activated = Double(lanes.activatedCount)
    for (layer, costs) in lanes.layerCosts(tokens: 1).enumerated() {
      let held = layer < slots.count ? slots[layer] : 0
      let hits = activated * min(1, Double(held) / Double(lanes.expertCount))
      let each = costs.cpu(load: 1)
      alone += costs.cpuFirst + activated * each
      let misses = activated - hits
      let rate = 1 / each + 1 / costs.linkPerExpert
      let gpu = costs.sharedOnGPU + (hits > 0 ? costs.gpuPerLaunch + hits * costs.gpu(load: 1) : 0)
      let host = misses > 0 ? costs.cpuFirst + misses / rate : 0
      with += costs.handshake + max(gpu, host)
    }
    withGPU = with
    onCPU = alone
  }

  /// One line for people.
  public var sentence: String {
    func text(_ microseconds: Double) -> String {
      let tenths = Int((microseconds / 100).rounded())
      return "\(tenths / 10).\(tenths % 10) ms"
    }
    return isWorthwhile
      ? "the experts of a token take about \(text(withGPU)) with the GPU and \(text(onCPU)) without"
      : "the GPU would not help: the experts of a token take about \(text(withGPU)) with it and "
        + "\(text(onCPU)) without"
  }
}
