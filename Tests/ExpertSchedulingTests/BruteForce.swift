import Experts

/// Whether two makespans are the same but for the rounding of sums.
func isSame(_ left: Double, _ right: Double) -> Bool {
  abs(left - right) <= 1e-9 * max(1, abs(left), abs(right))
}

/// The optimum without any theorem: every assignment, every order of copies and every order of the
/// GPU's work.
func bruteForceMakespan(_ layerCase: LayerCase) -> Double {
  let (costs, count) = (layerCase.costs, layerCase.experts.count)
  var best = Double.infinity
  for assignment in 0..<(1 << count) {
    let onGPU = layerCase.experts.indices.filter { assignment >> $0 & 1 == 1 }
    let onCPU = layerCase.experts.indices.filter { assignment >> $0 & 1 == 0 }
    let copied = onGPU.filter { layerCase.experts[$0].residency == .missing }
    let copyTime = onCPU.isEmpty ? costs.linkPerExpertAlone : costs.linkPerExpert
    var cpuEnd = 0.0
    if !onCPU.isEmpty {
      cpuEnd = layerCase.cpuFree + costs.cpuFirst
      for place in onCPU { cpuEnd += costs.cpu(load: layerCase.experts[place].load) }
    }
    for copies in permutations(copied) {
      var ready = Array(repeating: 0.0, count: count)
      for (place, expert) in layerCase.experts.enumerated() {
        if case .arriving(let time) = expert.residency { ready[place] = time }
      }
      for (turn, place) in copies.enumerated() {
        ready[place] = layerCase.linkFree + Double(turn + 1) * copyTime
      }
      for order in permutations(onGPU) {
        var clock = layerCase.gpuFree + costs.sharedOnGPU
        var launched = false
        for place in order {
          let expert = layerCase.experts[place]
          let isResident = expert.residency == .resident
          clock = max(clock, ready[place]) + costs.gpu(load: expert.load)
          if !isResident || !launched { clock += costs.gpuPerLaunch }
          if isResident { launched = true }
        }
        let gpuEnd = onGPU.isEmpty && costs.sharedOnGPU == 0 ? 0 : clock
        best = min(best, max(cpuEnd, gpuEnd) + costs.handshake)
      }
    }
  }
  return best
}

private func permutations(_ elements: [Int]) -> [[Int]] {
  guard let first = elements.first else { return [[]] }
  return permutations(Array(elements.dropFirst())).flatMap { rest in
    (0...rest.count).map { place in
      var result = rest
      result.insert(first, at: place)
      return result
    }
  }
}
