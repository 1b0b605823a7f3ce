import Experts

/// Makes an assignment better by moving one expert to the other processor, or swapping two, for as
/// long as that shortens the plan.
///
/// The sums of the assignment are kept, so that most trials cost a few additions; only a trial that
/// CPU and GPU could both be glad of has its copies walked through. A budget of steps, not of time,
/// keeps plans deterministic.
struct LocalSearch {
  /// Trials and walked copies together; about 2 ns each, so a search stays below 100 µs.
  static let budget = 30_000

  private(set) var end = 0.0
  private var sums = AssignmentSums()
  private var steps = 0

  /// Improves `onGPU` until nothing helps, `target` is reached, or `budget` steps are used; `end` is
  /// what it comes to. An assignment without any CPU work is left as it is.
  mutating func improve(
    _ onGPU: inout [Bool], _ layer: SortedLayer, target: Double, budget: Int = Self.budget
  ) {
    sums = layer.sums(of: onGPU)
    end = sums.end(layer)
    steps = budget
    var hasImproved = sums.cpuCount > 0
    while hasImproved && steps > 0 && end > target {
      hasImproved = false
      for slot in 0..<layer.count where tryFlip(slot, nil, &onGPU, layer) { hasImproved = true }
      for first in 0..<layer.count where steps > 0 && end > target {
        for second in 0..<layer.count where onGPU[first] != onGPU[second] {
          if tryFlip(first, second, &onGPU, layer) { hasImproved = true }
        }
      }
    }
  }

  // Flips one or two experts where that makes the plan end earlier.
  @inline(__always)
  private mutating func tryFlip(
    _ first: Int, _ second: Int?, _ onGPU: inout [Bool], _ layer: SortedLayer
  ) -> Bool {
    steps -= 1
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
