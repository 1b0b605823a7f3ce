import Experts

/// Who computes what, as sums: enough to know the makespan of the assignment's best plan.
///
/// Filled in the order arrivals, misses, residents; then `releasedEnd` grows along and every
/// question is answered in O(1).
struct AssignmentSums {
  var cpu = 0.0
  var cpuCount = 0
  var gpu = 0.0
  /// Everything the GPU computes but the shared expert.
  var gpuCount = 0
  var residentsOnGPU = 0
  var copies = 0
  /// When the GPU would end if it computed nothing but what the link brings.
  var releasedEnd = 0.0

  @inline(__always)
  mutating func addToCPU(_ item: SortedLayer.Item) {
    cpu += item.cpu
    cpuCount += 1
  }

  @inline(__always)
  mutating func addArrival(_ item: SortedLayer.Item) {
    gpu += item.gpu
    gpuCount += 1
    releasedEnd = max(releasedEnd, item.ready) + item.gpu
  }

  @inline(__always)
  mutating func addCopy(_ item: SortedLayer.Item, from linkStart: Double, each linkCost: Double) {
    gpu += item.gpu
    gpuCount += 1
    copies += 1
    releasedEnd = max(releasedEnd, linkStart + Double(copies) * linkCost) + item.gpu
  }

  @inline(__always)
  mutating func addResident(_ item: SortedLayer.Item) {
    gpu += item.gpu
    gpuCount += 1
    residentsOnGPU += 1
  }

  /// When the GPU ends: it either never waits after the shared expert, or all that it does after
  /// the last waiting came over the link.
  @inline(__always)
  func gpuEnd(_ layer: SortedLayer) -> Double {
    guard gpuCount > 0 else { return layer.gpuIdleEnd }
    return max(layer.gpuStart + gpu + (residentsOnGPU > 0 ? layer.launch : 0), releasedEnd)
  }

  @inline(__always)
  func cpuEnd(_ layer: SortedLayer) -> Double { cpuCount > 0 ? layer.cpuStart + cpu : 0 }

  /// Without the handshake.
  @inline(__always)
  func end(_ layer: SortedLayer) -> Double { max(cpuEnd(layer), gpuEnd(layer)) }
}

extension SortedLayer {
  /// The sums of a whole assignment.
  ///
  /// - Complexity: O(n).
  func sums(of onGPU: [Bool]) -> AssignmentSums {
    var sums = AssignmentSums()
    let linkCost = onGPU[..<count].contains(false) ? linkPerExpert : linkPerExpertAlone
    for slot in arrivals {
      if onGPU[slot] { sums.addArrival(items[slot]) } else { sums.addToCPU(items[slot]) }
    }
    for slot in misses {
      if onGPU[slot] {
        sums.addCopy(items[slot], from: linkStart, each: linkCost)
      } else {
        sums.addToCPU(items[slot])
      }
    }
    for slot in residents {
      if onGPU[slot] { sums.addResident(items[slot]) } else { sums.addToCPU(items[slot]) }
    }
    return sums
  }
}
