// Intuition: where the link is never idle, because it carries the next layer's experts whenever this
// layer's are through, its time is worth something beyond this layer. A plan that ends a little
// later but leaves the link free may be the better one: what the link carries meanwhile, the next
// layer need not wait for. The shortest makespan is the right goal only where nothing can be carried
// ahead.
//
// Rule: of the shortest plan and of all plans that give the lightest misses to the CPU (all subsets of
// misses where there are at most eight), take that with the lowest makespan − price × idle link time,
// where idle is counted up to the next layer's routing and only as far as copies ahead have room. The
// price is what a microsecond of copying is worth at the balance of both lanes: an expert that is
// already there spares the link a copy of length c, and the rest is shared out again between the link
// and the CPU, whose next expert takes x; together they end c·x ÷ (c + x) earlier, so the price is
// x ÷ (c + x).
//
// Rejected: planning two layers together (the next layer's routing is only predicted), and a fixed
// price (the CPU's share of the work differs by two orders of magnitude between prompts).

import Experts

/// Plans layers of a prefill whose link goes on with the next layer's experts.
public struct StreamingScheduler: LayerScheduler {
  /// What the link may do beside this layer's copies, in the unit of the costs.
  public struct Ahead: Equatable, Sendable {
    /// Link time that copies ahead can use until the next layer's routing is known.
    public var room: Double
    /// From the end of this layer to the next layer's routing, in which the link works too.
    public var gap: Double
    /// What a unit of link time is worth, where that is known; `nil` takes the rule's price.
    public var price: Double?

    public init(room: Double, gap: Double, price: Double? = nil) {
      self.room = room
      self.gap = gap
      self.price = price
    }
  }

  /// To be set before each layer; without room the plan is the shortest.
  public var ahead = Ahead(room: 0, gap: 0)

  private var shortest = HybridScheduler()
  private var layer = SortedLayer()
  private var onGPU: [Bool] = []
  private var best: [Bool] = []
  private var writer = AssignmentWriter()

  /// More misses are split by load only.
  private static let subsetLimit = 8

  public init() {}

  /// - Complexity: O(n²), and 256 × n where there are few misses; no allocation in the steady state.
  public mutating func schedule(_ layerCase: LayerCase, into plan: inout LayerPlan) {
    shortest.schedule(layerCase, into: &plan)
    layer.take(layerCase)
    guard ahead.room > 0, layer.missCount > 0 else { return }
    var lastCopy = layer.linkStart
    var heaviest = 0.0
    for operation in plan.operations where operation.lane != .gpu {
      if operation.lane == .link {
        lastCopy = max(lastCopy, operation.end)
      } else {
        heaviest = max(heaviest, operation.end - operation.start)
      }
    }
    let known = score(end: plan.makespan, lastCopy: lastCopy, heaviest: heaviest)
    guard search(below: known) else { return }
    let bound = plan.lowerBound
    writer.write(layer, of: layerCase, onGPU: best, into: &plan)
    plan.lowerBound = min(bound, plan.makespan)
  }

  // Leaves the best assignment in `best`; false where none is better than what is known.
  private mutating func search(below known: Double) -> Bool {
    onGPU.removeAll(keepingCapacity: true)
    for _ in 0..<layer.count { onGPU.append(true) }
    var lowest = known - 1e-9
    var isFound = false
    let misses = layer.misses
    // Of equal misses it does not matter which.
    let areEqual = layer.items[misses.lowerBound].load == layer.items[misses.upperBound - 1].load
    if misses.count <= Self.subsetLimit, !areEqual {
      for subset in 0..<(1 << misses.count) {
        for (bit, slot) in misses.enumerated() { onGPU[slot] = subset >> bit & 1 == 0 }
        keepBetter(&lowest, &isFound)
      }
    } else {
      keepBetter(&lowest, &isFound)
      for slot in misses.reversed() {
        onGPU[slot] = false
        keepBetter(&lowest, &isFound)
      }
    }
    return isFound
  }

  private mutating func keepBetter(_ lowest: inout Double, _ isFound: inout Bool) {
    let score = scoreOfAssignment()
    guard score < lowest else { return }
    lowest = score
    isFound = true
    best.removeAll(keepingCapacity: true)
    best.append(contentsOf: onGPU)
  }

  private func scoreOfAssignment() -> Double {
    var cpu = 0.0
    var heaviest = 0.0
    for slot in layer.misses where !onGPU[slot] {
      cpu += layer.items[slot].cpu
      heaviest = max(heaviest, layer.items[slot].cpu)
    }
    let usesCPU = cpu > 0
    let copy = usesCPU ? layer.linkPerExpert : layer.linkPerExpertAlone
    var gpu = layer.gpuStart
    if layer.residentCount > 0 { gpu += layer.launch }
    for slot in layer.residents { gpu += layer.items[slot].gpu }
    for slot in layer.arrivals {
      gpu = max(gpu, layer.items[slot].ready) + layer.items[slot].gpu
    }
    var link = layer.linkStart
    for slot in layer.misses where onGPU[slot] {
      link += copy
      gpu = max(gpu, link) + layer.items[slot].gpu
    }
    let end = max(gpu, usesCPU ? layer.cpuStart + cpu : 0) + layer.handshake
    return score(end: end, lastCopy: link, heaviest: heaviest)
  }

  /// - Parameter heaviest: the longest that the CPU works on one expert of the plan.
  private func score(end: Double, lastCopy: Double, heaviest: Double) -> Double {
    let idle = min(max(0, end + ahead.gap - lastCopy), ahead.room)
    if let price = ahead.price { return end - price * idle }
    // Without work on the CPU nothing could be moved to it: the link alone decides.
    let price = heaviest > 0 ? heaviest / (heaviest + layer.linkPerExpert) : 1
    return end - price * idle
  }
}
