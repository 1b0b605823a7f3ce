import Experts

/// The best plan of the family in which the GPU is given the misses with the highest loads, the
/// arriving experts that come first, and the residents with the highest loads.
///
/// Intuition: the CPU pays for every token, the link and the GPU hardly do, so big misses are worth
/// their copy and small experts are cheap to leave to the CPU. What remains open is only how many
/// of each kind. For given numbers of copies and of arriving experts, the CPU's end rises and the
/// GPU's falls with every resident that the CPU takes over; the best number lies where they cross,
/// and the crossing moves one way only as copies are added. So one walk finds it.
///
/// The family holds the optimum where it only matters how many experts of a kind the GPU computes,
/// not which (`isExact`). Enumerating the copies alone, without the residents that the CPU takes
/// over, was rejected: it loses by up to three times.
struct ThresholdSearch {
  /// How many misses are copied.
  private(set) var copies = 0
  /// How many residents the CPU takes over, lowest loads first.
  private(set) var stolen = 0
  /// How many arriving experts the CPU takes over, last arrivals first.
  private(set) var forgone = 0
  /// The best end, without the handshake.
  private(set) var end = Double.infinity

  /// Searches the whole family, and the plan without any CPU.
  ///
  /// - Complexity: O((arrivals + 1) × n); no allocation.
  init(_ layer: SortedLayer) {
    copies = layer.missCount
    end = Self.endWithoutCPU(layer)
    for forgone in 0...layer.arrivalCount { search(layer, 0...layer.missCount, forgone) }
  }

  /// Searches only the plans in which the CPU computes something and so many misses are copied.
  init(_ layer: SortedLayer, copies: Int) {
    for forgone in 0...layer.arrivalCount { search(layer, copies...copies, forgone) }
  }

  static func endWithoutCPU(_ layer: SortedLayer) -> Double {
    var sums = AssignmentSums()
    for slot in layer.arrivals { sums.addArrival(layer.items[slot]) }
    for slot in layer.misses {
      sums.addCopy(layer.items[slot], from: layer.linkStart, each: layer.linkPerExpertAlone)
    }
    for slot in layer.residents { sums.addResident(layer.items[slot]) }
    return sums.end(layer)
  }

  private mutating func search(
    _ layer: SortedLayer, _ wanted: ClosedRange<Int>, _ forgone: Int
  ) {
    var sums = AssignmentSums()
    let kept = layer.arrivals.dropLast(forgone)
    for slot in layer.arrivals {
      if slot < kept.endIndex {
        sums.addArrival(layer.items[slot])
      } else {
        sums.addToCPU(layer.items[slot])
      }
    }
    for slot in layer.misses { sums.addToCPU(layer.items[slot]) }
    for slot in layer.residents { sums.addResident(layer.items[slot]) }
    var stolen = 0
    for copies in 0...wanted.upperBound {
      if copies > 0 {
        let item = layer.items[layer.misses.lowerBound + copies - 1]
        sums.cpu -= item.cpu
        sums.cpuCount -= 1
        sums.addCopy(item, from: layer.linkStart, each: layer.linkPerExpert)
        if sums.releasedEnd >= end { return }
      }
      guard copies >= wanted.lowerBound else { continue }
      while true {
        // Nothing on the CPU is the plan with the faster link, already looked at.
        if sums.cpuCount > 0 {
          let end = sums.end(layer)
          if end < self.end {
            self.end = end
            (self.copies, self.stolen, self.forgone) = (copies, stolen, forgone)
          }
        }
        guard stolen < layer.residentCount, sums.cpuEnd(layer) < sums.gpuEnd(layer) else { break }
        let item = layer.items[layer.residentCount - 1 - stolen]
        sums.gpu -= item.gpu
        sums.gpuCount -= 1
        sums.residentsOnGPU -= 1
        sums.addToCPU(item)
        stolen += 1
      }
    }
  }

  /// Whether no other plan can be better: within each kind the GPU's time is the same for all, so
  /// that the lowest loads are the CPU's whatever the numbers are; and the arriving experts that
  /// come last are no larger than those before them.
  static func isExact(_ layer: SortedLayer) -> Bool {
    guard layer.hasEvenGPUTime(layer.residents), layer.hasEvenGPUTime(layer.misses) else {
      return false
    }
    guard layer.arrivalCount > 1 else { return true }
    for slot in layer.arrivals.dropFirst() {
      let (item, earlier) = (layer.items[slot], layer.items[slot - 1])
      guard item.gpu == earlier.gpu, item.load <= earlier.load else { return false }
    }
    return true
  }

  /// Writes the family's best assignment.
  func fill(_ onGPU: inout [Bool], _ layer: SortedLayer) {
    onGPU.removeAll(keepingCapacity: true)
    for slot in layer.residents { onGPU.append(slot < layer.residentCount - stolen) }
    for slot in layer.misses { onGPU.append(slot < layer.misses.lowerBound + copies) }
    for slot in layer.arrivals { onGPU.append(slot < layer.count - forgone) }
  }
}

extension SortedLayer {
  /// Whether the GPU takes equally long for all of a group sorted by load.
  fileprivate func hasEvenGPUTime(_ group: Range<Int>) -> Bool {
    group.isEmpty || items[group.lowerBound].gpu == items[group.upperBound - 1].gpu
  }
}
