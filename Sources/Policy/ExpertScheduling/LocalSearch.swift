import Experts

/// Makes an assignment better by moving one expert to the other processor, or swapping two, for as
/// long as that shortens the plan.
///
/// The sums of the assignment are kept, so that most trials cost a few additions; only a trial that
/// CPU and GPU could both be glad of has its copies walked through. A budget of steps, not of time,
/// keeps plans deterministic.
struct LocalSearch {
  /// Looks at an expert: for a swap, in a trial, on a walk along the copies. With all that goes
  /// with them they took 3 ns each on an EPYC, so that 128 experts are planned in 0.12 ms at most.
  static let budget = 40_000
  /// Where branch and bound goes on from the result.
  static let smallBudget = 10_000

  private(set) var end = 0.0
  /// What is left of the budget, for all improvements together.
  var steps = 0
  private var sums = AssignmentSums()

  /// Improves `onGPU` until nothing helps, `target` is reached, or the steps are used up; `end` is
  /// what it comes to. The expert in the slot `fixed` stays where it is. An assignment without any
  /// CPU work is left as it is.
  mutating func improve(
    _ onGPU: inout [Bool], _ layer: SortedLayer, target: Double, fixed: Int? = nil
  ) {
    sums = layer.sums(of: onGPU)
    end = sums.end(layer)
    steps -= layer.count
    var hasImproved = sums.cpuCount > 0
    while hasImproved && steps > 0 && end > target {
      hasImproved = false
      for slot in 0..<layer.count where slot != fixed && tryFlip(slot, nil, &onGPU, layer) {
        hasImproved = true
      }
      for slot in 0..<layer.count where !onGPU[slot] && slot != fixed {
        guard steps > 0, end > target else { break }
        if swap(slot, &onGPU, layer, fixed: fixed) { hasImproved = true }
      }
    }
  }

  // Swaps an expert of the CPU's with the first of the GPU's that makes the plan end earlier.
  private mutating func swap(
    _ first: Int, _ onGPU: inout [Bool], _ layer: SortedLayer, fixed: Int?
  ) -> Bool {
    // Most pairs would make one processor too late; that much is told without summing up.
    let cpuSlack = end - layer.cpuStart - sums.cpu + layer.items[first].cpu
    let gpuSlack = end - layer.gpuStart - sums.gpu - layer.items[first].gpu
    steps -= layer.count
    for second in 0..<layer.count where onGPU[second] && second != fixed {
      guard layer.items[second].cpu < cpuSlack, -layer.items[second].gpu < gpuSlack else {
        continue
      }
      if tryFlip(first, second, &onGPU, layer) { return true }
    }
    return false
  }

  // Flips one or two experts where that makes the plan end earlier.
  @inline(__always)
  private mutating func tryFlip(
    _ first: Int, _ second: Int?, _ onGPU: inout [Bool], _ layer: SortedLayer
  ) -> Bool {
    steps -= 2
    var trial = sums
    trial.flip(layer.items[first], toGPU: !onGPU[first], isResident: first < layer.residentCount)
    var bringsNews = first >= layer.residentCount
    if let second {
      trial.flip(
        layer.items[second], toGPU: !onGPU[second], isResident: second < layer.residentCount)
      bringsNews = bringsNews || second >= layer.residentCount
    }
    let enough = end * (1 - 1e-12)
    // With nothing on the CPU the copies would be faster: a different plan, known already.
    guard trial.cpuCount > 0, layer.cpuStart + trial.cpu < enough else { return false }
    if bringsNews {
      guard layer.gpuStart + trial.gpu < enough || trial.gpuCount == 0 else { return false }
      guard let released = releasedEnd(first, second, onGPU, layer, below: enough) else {
        return false
      }
      trial.releasedEnd = released
    }
    guard trial.gpuEnd(layer) < enough else { return false }
    sums = trial
    end = trial.end(layer)
    onGPU[first].toggle()
    if let second { onGPU[second].toggle() }
    return true
  }

  // When the GPU would be through with what the link brings, were two experts flipped; `nil` where
  // that is too late.
  private mutating func releasedEnd(
    _ first: Int, _ second: Int?, _ onGPU: [Bool], _ layer: SortedLayer, below limit: Double
  ) -> Double? {
    var trial = AssignmentSums()
    for slot in layer.arrivals
    where onGPU[slot] != (slot == first || slot == second) {
      trial.addArrival(layer.items[slot])
    }
    for slot in layer.misses where onGPU[slot] != (slot == first || slot == second) {
      trial.addCopy(layer.items[slot], from: layer.linkStart, each: layer.linkPerExpert)
      if trial.releasedEnd >= limit { break }
    }
    steps -= layer.missCount + layer.arrivalCount
    return trial.releasedEnd < limit ? trial.releasedEnd : nil
  }
}

extension AssignmentSums {
  /// Moves an expert to the other processor; `releasedEnd` and `copies` are left to the caller.
  @inline(__always)
  fileprivate mutating func flip(_ item: SortedLayer.Item, toGPU: Bool, isResident: Bool) {
    if toGPU {
      cpu -= item.cpu
      cpuCount -= 1
      gpu += item.gpu
      gpuCount += 1
      if isResident { residentsOnGPU += 1 }
    } else {
      cpu += item.cpu
      cpuCount += 1
      gpu -= item.gpu
      gpuCount -= 1
      if isResident { residentsOnGPU -= 1 }
    }
  }
}
