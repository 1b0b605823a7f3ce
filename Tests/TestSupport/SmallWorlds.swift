import Experts

/// Cases from small whole numbers, where lanes tie and lane offsets matter.
public enum SmallWorlds {
  /// Every case of a few experts with equal loads: all mixes of residents, misses and arrivals, with
  /// costs and offsets from short lists.
  public static func forEachEqualLoad(count: Int, _ body: (LayerCase) -> Void) {
    for residents in 0...count {
      for arrivals in 0...min(2, count - residents) {
        for bits in 0..<256 {
          func pick(_ bit: Int, _ first: Double, _ second: Double) -> Double {
            bits >> bit & 1 == 0 ? first : second
          }
          var costs = LayerCosts(
            cpuPerToken: pick(0, 1, 3), gpuPerExpert: pick(1, 1, 2),
            linkPerExpert: pick(2, 2, 3), linkPerExpertAlone: pick(3, 1, 2))
          costs.cpuFirst = pick(4, 0, 2)
          costs.gpuPerLaunch = pick(5, 0, 1)
          costs.sharedOnGPU = pick(6, 0, 2)
          var layerCase = LayerCase(phase: .decode, experts: [], costs: costs)
          if bits >> 7 & 1 == 1 {
            (layerCase.cpuFree, layerCase.gpuFree, layerCase.linkFree) = (2, 1, 3)
          }
          for index in 0..<count {
            let arrival = index - residents
            let residency: Residency =
              index < residents
              ? .resident : arrival < arrivals ? .arriving(at: 1 + 3 * Double(arrival)) : .missing
            layerCase.experts.append(
              ActivatedExpert(index: index, load: 1, residency: residency))
          }
          body(layerCase)
        }
      }
    }
  }

  /// A random case of `count` experts; loads up to `maximumLoad`, costs that make the lanes compete.
  public static func random(
    count: Int, maximumLoad: Int, _ random: inout SeededGenerator
  ) -> LayerCase {
    func whole(_ range: ClosedRange<Int>) -> Double {
      Double(Int.random(in: range, using: &random))
    }
    var costs = LayerCosts(
      cpuPerToken: whole(1...4), gpuPerExpert: whole(0...6), linkPerExpert: whole(1...12))
    costs.linkPerExpertAlone = max(1, costs.linkPerExpert - whole(0...3))
    costs.cpuFirst = whole(0...4)
    costs.cpuPerExpert = whole(0...5)
    costs.gpuPerLaunch = whole(0...2)
    costs.gpuPerToken = whole(0...3)
    costs.gpuKnee = Int.random(in: 0...4, using: &random)
    costs.sharedOnGPU = whole(0...5)
    costs.handshake = whole(0...2)
    var layerCase = LayerCase(phase: .prefill, experts: [], costs: costs)
    layerCase.cpuFree = whole(0...6)
    layerCase.gpuFree = whole(0...6)
    layerCase.linkFree = whole(0...6)
    for index in 0..<count {
      var expert = ActivatedExpert(
        index: index, load: Int.random(in: 1...maximumLoad, using: &random), residency: .missing)
      switch Int.random(in: 0...5, using: &random) {
      case 0, 1: expert.residency = .resident
      case 2:
        let time = whole(0...12)
        expert.residency = .arriving(at: time)
        layerCase.linkFree = max(layerCase.linkFree, time)
      default: break
      }
      layerCase.experts.append(expert)
    }
    return layerCase
  }
}
