// What other systems do inside a layer, as rules over the same three lanes. Each rule only says who
// computes what; the order on the lanes is the best one for that, which is charitable to all.

import Experts

/// The layer rules of other systems, to be measured against.
public struct BaselineScheduler: LayerScheduler {
  public enum Rule: Sendable, CaseIterable {
    /// kTransformers: residents on the GPU; misses on the CPU in decode, all copied in prefill.
    case ktransformers
    /// llama.cpp with experts kept in host memory: a layer is the GPU's where all its activated
    /// experts are there, otherwise the CPU's.
    case llamacpp
    /// AdapMoE: the GPU computes all; misses are copied on demand.
    case adapmoe
    /// DALI: experts in the order of how much the two processors differ, each to where it would end
    /// first.
    case dali
    /// FreeToken: misses split between CPU and link by the ratio of their overlapped rates.
    case freetoken
    case allCPU
    case allGPU
  }

  public let rule: Rule

  private var layer = SortedLayer()
  private var onGPU: [Bool] = []
  private var rules = BaselineRules()
  private var writer = AssignmentWriter()

  public init(_ rule: Rule) { self.rule = rule }

  /// - Complexity: O(n log n) at most; no allocation in the steady state.
  public mutating func schedule(_ layerCase: LayerCase, into plan: inout LayerPlan) {
    layer.take(layerCase)
    rules.assign(rule, layer, layerCase.phase, into: &onGPU)
    writer.write(layer, of: layerCase, onGPU: onGPU, into: &plan)
  }
}

/// Who computes what under each rule.
struct BaselineRules {
  /// Slots in DALI's order, with the difference that orders them.
  private var order: [(slot: Int, difference: Double)] = []

  mutating func assign(
    _ rule: BaselineScheduler.Rule, _ layer: SortedLayer, _ phase: Phase, into onGPU: inout [Bool]
  ) {
    switch rule {
    case .adapmoe, .allGPU: fill(&onGPU, layer, copied: layer.missCount)
    case .ktransformers:
      fill(&onGPU, layer, copied: phase == .prefill ? layer.missCount : 0)
    case .freetoken: fill(&onGPU, layer, copied: Self.freeTokenCopies(layer))
    case .llamacpp: fillAll(&onGPU, layer, with: layer.residentCount == layer.count)
    case .allCPU: fillAll(&onGPU, layer, with: false)
    case .dali: assignAsDALI(layer, &onGPU)
    }
  }

  private func fillAll(_ onGPU: inout [Bool], _ layer: SortedLayer, with value: Bool) {
    onGPU.removeAll(keepingCapacity: true)
    for _ in 0..<layer.count { onGPU.append(value) }
  }

  // Residents, what is on its way, and the first misses (highest loads) on the GPU.
  private func fill(_ onGPU: inout [Bool], _ layer: SortedLayer, copied: Int) {
    onGPU.removeAll(keepingCapacity: true)
    for slot in 0..<layer.count {
      onGPU.append(!layer.misses.dropFirst(copied).contains(slot))
    }
  }

  // The link's share of the misses is its rate over both rates, in experts per time; the CPU's rate
  // is that of the misses' mean.
  private static func freeTokenCopies(_ layer: SortedLayer) -> Int {
    guard layer.missCount > 0 else { return 0 }
    var cpu = 0.0
    for slot in layer.misses { cpu += layer.items[slot].cpu }
    cpu /= Double(layer.missCount)
    let both = cpu + layer.linkPerExpert
    guard both > 0, both.isFinite else { return 0 }
    let share = cpu / both * Double(layer.missCount)
    return min(layer.missCount, Int(share.rounded()))
  }

  private mutating func assignAsDALI(_ layer: SortedLayer, _ onGPU: inout [Bool]) {
    fillAll(&onGPU, layer, with: false)
    order.removeAll(keepingCapacity: true)
    for slot in 0..<layer.count {
      let item = layer.items[slot]
      let copy = layer.misses.contains(slot) ? layer.linkPerExpert : 0
      order.append((slot, abs(item.gpu + copy - item.cpu)))
    }
    sortOrder()
    var (cpuClock, gpuClock, linkClock) = (layer.cpuStart, layer.gpuStart, layer.linkStart)
    for (slot, _) in order {
      let item = layer.items[slot]
      var ready = item.ready
      if layer.misses.contains(slot) { ready = linkClock + layer.linkPerExpert }
      let gpuEnd = max(gpuClock, ready) + item.gpu
      let cpuEnd = cpuClock + item.cpu
      if gpuEnd <= cpuEnd {
        onGPU[slot] = true
        gpuClock = gpuEnd
        if layer.misses.contains(slot) { linkClock = ready }
      } else {
        cpuClock = cpuEnd
      }
    }
  }

  // Largest difference first, in place (see `SortedLayer`).
  private mutating func sortOrder() {
    var gap = 1
    while gap * 9 < order.count { gap = gap * 3 + 1 }
    while gap > 0 {
      for start in order.indices.dropFirst(gap) {
        let moved = order[start]
        var hole = start
        while hole >= gap {
          let other = order[hole - gap]
          guard (other.difference, moved.slot) < (moved.difference, other.slot) else { break }
          order[hole] = other
          hole -= gap
        }
        order[hole] = moved
      }
      gap /= 3
    }
  }
}
