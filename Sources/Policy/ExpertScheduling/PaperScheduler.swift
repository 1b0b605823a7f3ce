// Intuition: let the three lanes run, and always commit what would be done first.
//
// Rule (arXiv 2504.05897, section IV-B): the GPU takes residents, highest load first; the CPU takes
// misses, lowest load first, and once there are none, residents from the end of the GPU's queue;
// the link takes misses, highest load first, and a copied expert joins the GPU's queue in load
// order. Of the three lanes' next operations the one that would finish first is committed, ties in
// the order link, gpu, cpu, until every expert has its place. The shared expert is the GPU's first.
//
// Rejected: reading "the lane with the earliest completion time" as the lane whose clock is
// smallest. In the paper's Figure 5 (loads A1 B1 C3 missing, D4 E1 resident; the CPU takes 1 for
// each token, a copy 3) the clocks of CPU and GPU then meet at 3, and the idle CPU may take C,
// which was just copied: the layer ends at 6, where the figure ends at 4 (shared expert 2, GPU 1),
// and at 6 instead of 5 with shared expert 1 and GPU 2.

import Experts

/// The rule that the paper publishes, as it words it.
public struct PaperScheduler: LayerScheduler {
  private var layer = SortedLayer()
  private var rule = PaperRule()
  private var ready: [Double] = []

  public init() {}

  /// - Complexity: O(n) steps, each O(experts that wait after their copy); no allocation in the
  ///   steady state.
  public mutating func schedule(_ layerCase: LayerCase, into plan: inout LayerPlan) {
    layer.take(layerCase)
    rule.decide(layer)
    write(layerCase, into: &plan)
  }

  // The decisions with their times. Only here is it known whether the CPU computes anything; if
  // not, the copies are the faster ones.
  private mutating func write(_ layerCase: LayerCase, into plan: inout LayerPlan) {
    var usesCPU = false
    for decision in rule.decisions where decision.lane == .cpu { usesCPU = true }
    var writer = PlanWriter(layerCase, linkStart: layer.linkStart, usesCPU: usesCPU, plan: &plan)
    ready.removeAll(keepingCapacity: true)
    for slot in 0..<layer.count { ready.append(layer.items[slot].ready) }
    for (slot, lane) in rule.decisions {
      let expert = layerCase.experts[layer.items[slot].position]
      switch lane {
      case .cpu: writer.compute(onCPU: expert, into: &plan)
      case .gpu: writer.compute(onGPU: expert, readyAt: ready[slot], into: &plan)
      case .link: ready[slot] = writer.copy(expert, into: &plan)
      }
    }
    writer.finish(&plan)
  }
}

/// The paper's three lanes, playing: what is decided and in which order.
struct PaperRule {
  /// Committed operations in order: a slot of the layer and its lane.
  private(set) var decisions: [(slot: Int, lane: Lane)] = []
  /// Experts that come over the link and wait for the GPU, and when they are there.
  private var incoming: [(slot: Int, ready: Double)] = []

  mutating func decide(_ layer: SortedLayer) {
    decisions.removeAll(keepingCapacity: true)
    incoming.removeAll(keepingCapacity: true)
    for slot in layer.arrivals { incoming.append((slot, layer.items[slot].ready)) }
    var residents = layer.residents
    var misses = layer.misses
    var (cpuClock, gpuClock, linkClock) = (layer.cpuFree, layer.gpuStart, layer.linkStart)
    var cpuExtra = layer.cpuFirst
    var residentsAreLaunched = false

    while !residents.isEmpty || !misses.isEmpty || !incoming.isEmpty {
      let linkEnd = misses.isEmpty ? .infinity : linkClock + layer.linkPerExpert

      let waiting = nextOnGPU(layer, at: gpuClock, residents: residents)
      var gpuEnd = Double.infinity
      if let waiting {
        gpuEnd = max(gpuClock, incoming[waiting].ready) + layer.items[incoming[waiting].slot].gpu
      } else if let head = residents.first {
        gpuEnd = gpuClock + layer.items[head].gpu + (residentsAreLaunched ? 0 : layer.launch)
      }

      let candidate = misses.last ?? residents.last
      let cpuEnd = candidate.map { cpuClock + cpuExtra + layer.items[$0].cpu } ?? .infinity

      if linkEnd <= gpuEnd && linkEnd <= cpuEnd && linkEnd < .infinity {
        linkClock = linkEnd
        incoming.append((misses.lowerBound, linkEnd))
        decisions.append((misses.removeFirst(), .link))
      } else if gpuEnd <= cpuEnd {
        gpuClock = gpuEnd
        if let waiting {
          decisions.append((incoming.remove(at: waiting).slot, .gpu))
        } else {
          residentsAreLaunched = true
          decisions.append((residents.removeFirst(), .gpu))
        }
      } else if let candidate {
        (cpuClock, cpuExtra) = (cpuEnd, 0)
        decisions.append((candidate, .cpu))
        if misses.isEmpty { residents.removeLast() } else { misses.removeLast() }
      }
    }
  }

  // What the GPU would compute next: the highest load of all that is there, a resident (`nil`)
  // where loads are equal; where nothing is there yet, what arrives first.
  private func nextOnGPU(
    _ layer: SortedLayer, at clock: Double, residents: Range<Int>
  ) -> Int? {
    var best: Int?
    var bestLoad = residents.first.map { layer.items[$0].load } ?? -1
    for (place, expert) in incoming.enumerated() where expert.ready <= clock {
      let load = layer.items[expert.slot].load
      if load > bestLoad { (best, bestLoad) = (place, load) }
    }
    if best != nil || !residents.isEmpty { return best }
    // Copies end in the order in which they were begun.
    return incoming.isEmpty ? nil : 0
  }
}
