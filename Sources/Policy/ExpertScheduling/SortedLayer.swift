import Experts

/// A layer's case in the order in which the searches want it, with every cost looked up once.
///
/// Three groups follow one another in `items`: residents by falling load, misses by falling load,
/// and experts whose copy is on its way by arrival. Equal residents and arrivals keep the order of
/// the case; equal misses are reversed, so that the CPU, which starts at their end, keeps it.
struct SortedLayer {
  struct Item {
    /// Where the expert stands in the case.
    var position: Int
    var load: Int
    var cpu: Double
    /// With the launch that a copied or arriving expert pays for itself.
    var gpu: Double
    /// When its copy on the way arrives; 0 for the others.
    var ready: Double
  }

  private(set) var items: [Item] = []
  private(set) var residentCount = 0
  private(set) var missCount = 0
  private(set) var arrivalCount = 0

  private(set) var handshake = 0.0
  private(set) var cpuFree = 0.0
  private(set) var cpuFirst = 0.0
  /// When the CPU has paid for its first expert: no plan that uses the CPU computes before that.
  private(set) var cpuStart = 0.0
  /// When the GPU has computed the shared expert.
  private(set) var gpuStart = 0.0
  /// What the GPU adds to the makespan where it computes no routed expert.
  private(set) var gpuIdleEnd = 0.0
  /// When the link is through with all that is on its way.
  private(set) var linkStart = 0.0
  private(set) var linkPerExpert = 0.0
  private(set) var linkPerExpertAlone = 0.0
  private(set) var launch = 0.0

  var count: Int { items.count }
  var residents: Range<Int> { 0..<residentCount }
  var misses: Range<Int> { residentCount..<residentCount + missCount }
  var arrivals: Range<Int> { residentCount + missCount..<items.count }

  /// Replaces what it held.
  ///
  /// - Complexity: O(n) where each group comes sorted (equal loads), else O(n^1.3); no allocation
  ///   once a case of this size has been seen.
  mutating func take(_ layerCase: LayerCase) {
    let costs = layerCase.costs
    handshake = costs.handshake
    cpuFree = layerCase.cpuFree
    cpuFirst = costs.cpuFirst
    cpuStart = layerCase.cpuFree + costs.cpuFirst
    gpuStart = layerCase.gpuFree + costs.sharedOnGPU
    gpuIdleEnd = costs.sharedOnGPU > 0 ? gpuStart : 0
    linkStart = layerCase.linkStart
    linkPerExpert = costs.linkPerExpert
    linkPerExpertAlone = costs.linkPerExpertAlone
    launch = costs.gpuPerLaunch

    items.removeAll(keepingCapacity: true)
    for (position, expert) in layerCase.experts.enumerated() where expert.residency == .resident {
      append(position, expert.load, costs, launch: 0, ready: 0)
    }
    residentCount = items.count
    for (position, expert) in layerCase.experts.enumerated() where expert.residency == .missing {
      append(position, expert.load, costs, launch: launch, ready: 0)
    }
    missCount = items.count - residentCount
    arrivalCount = layerCase.experts.count - items.count
    if arrivalCount > 0 {
      for (position, expert) in layerCase.experts.enumerated() {
        guard case .arriving(let time) = expert.residency else { continue }
        append(position, expert.load, costs, launch: launch, ready: time)
      }
    }
    sort(residents) { ($1.load, $0.position) < ($0.load, $1.position) }
    sort(misses) { ($0.load, $0.position) > ($1.load, $1.position) }
    sort(arrivals) { ($0.ready, $0.position) < ($1.ready, $1.position) }
  }

  private mutating func append(
    _ position: Int, _ load: Int, _ costs: LayerCosts, launch: Double, ready: Double
  ) {
    items.append(
      Item(
        position: position, load: load, cpu: costs.cpu(load: load),
        gpu: costs.gpu(load: load) + launch, ready: ready))
  }

  // Shell's sort with gaps of 3k + 1, in place: the standard library's sort allocates. No two
  // items are equal (they differ in position), so the result does not depend on the gaps.
  @inline(__always)
  private mutating func sort(_ range: Range<Int>, by precedes: (Item, Item) -> Bool) {
    var gap = 1
    while gap * 9 < range.count { gap = gap * 3 + 1 }
    while gap > 0 {
      for start in range.dropFirst(gap) {
        let item = items[start]
        var hole = start
        while hole - gap >= range.lowerBound {
          let other = items[hole - gap]
          guard precedes(item, other) else { break }
          items[hole] = other
          hole -= gap
        }
        items[hole] = item
      }
      gap /= 3
    }
  }
}

extension LayerCase {
  /// When the link can begin a new copy: all copies on their way are through by then.
  var linkStart: Double {
    var start = linkFree
    for expert in experts {
      if case .arriving(let time) = expert.residency, time > start { start = time }
    }
    return start
  }
}
