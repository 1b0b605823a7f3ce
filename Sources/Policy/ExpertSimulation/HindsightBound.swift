import Experts

/// A time that no system on this machine can beat, whatever it caches, prefetches and schedules.
///
/// Intuition: an activated expert is computed either by the CPU, or by the GPU; and for the GPU it
/// must either still be in a slot from its last use, or be copied. Someone who knows the future can
/// keep at most so many experts from one use to the next (as many as Belady's MIN, with bypass, over
/// one common pool of all slots); and in a run that takes T, at most T ÷ (time of one copy) copies
/// fit on the link. All other uses fall to the CPU, and are best spread over the layers so that they
/// hurt least.
///
/// The rule: let f(g) be the least time of a layer that computes g of its experts on the GPU: the
/// handshake, and the longer of the CPU's time for the lightest others and the GPU's for the shared
/// expert and the lightest g, replaced by its lower convex hull. Let H be MIN's hits, where the
/// slots start with whatever is best. Then T ≥ dense + Σ f(g), where Σ g ≤ H + T ÷ copy; the least T
/// that satisfies it is the bound. Every step only relaxes what a system may do: the heavy experts
/// are on neither side, copies may come at any earlier time and at the idle link's speed, and slots
/// may move between layers.
///
/// Rejected: playing the simulator with perfect prediction. It gives a time that can be reached, but
/// its greedy choices are no proof that a better one does not exist.
public struct HindsightBound {
  /// What the dense part of a step and each layer take, and the gains of moving experts to the GPU.
  private var fixedMicroseconds = 0.0
  /// The gain of each further expert on the GPU, over all layers, the best first, summed up.
  private var gains: [Double] = []
  private var cumulative: [Double] = [0]
  private var copyMicroseconds = Double.infinity
  private let demands: [LayerDemand]
  private let startsWithResidents: Bool
  public private(set) var steps = 0

  /// Prepares the bound for the demands of one phase.
  ///
  /// - Parameters:
  ///   - context: positions before the first step.
  ///   - residents: what the slots of each layer hold at the start, [layers]; empty where the bound
  ///     may fill them as it likes. In one single step an expert is used once, so then only a copy
  ///     made within the step can bring another one, and the bound is that of all systems that start
  ///     alike; for more than one step it says nothing.
  public init(
    _ demands: [LayerDemand], on machine: SimulatedMachine, context: Int = 0,
    residents: [ExpertSet] = []
  ) {
    self.demands = demands
    startsWithResidents = !residents.isEmpty
    var context = context
    var costs: [LayerCosts] = []
    var costsTokens = -1
    var lastStep: Int?
    for demand in demands {
      if demand.tokens != costsTokens {
        costs = machine.layerCosts(tokens: demand.tokens)
        costsTokens = demand.tokens
      }
      if demand.step != lastStep {
        lastStep = demand.step
        steps += 1
        context += demand.tokens
        fixedMicroseconds +=
          machine.denseLayersMicroseconds(tokens: demand.tokens, context: context)
          + machine.outputMicroseconds
      }
      fixedMicroseconds += machine.attentionMicroseconds(
        layer: demand.layer, tokens: demand.tokens, context: context)
      let layer = costs[demand.layer]
      copyMicroseconds = min(copyMicroseconds, layer.linkPerExpertAlone)
      // Residents cost nothing here: they may be computed on either lane, beside the others.
      let loads = zip(demand.experts, demand.loads)
        .filter { residents.isEmpty || !residents[demand.layer].contains($0.0) }.map(\.1)
      addLayer(loads.sorted(), costs: layer)
    }
    gains.sort(by: >)
    cumulative.reserveCapacity(gains.count + 1)
    for gain in gains { cumulative.append(cumulative[cumulative.count - 1] + gain) }
  }

  /// The bound for a number of slots over all layers, in microseconds for all steps together.
  public func microseconds(slots: Int) -> Double {
    precondition(!startsWithResidents, "the residents are given, and with them the slots")
    return leastTime(hits: Double(Self.retainableUses(demands, slots: slots)))
  }

  /// The bound of one step that starts with the given residents, in microseconds.
  public func microsecondsFromResidents() -> Double {
    precondition(startsWithResidents && steps <= 1, "only one step starts with given residents")
    return leastTime(hits: 0)
  }

  private func leastTime(hits: Double) -> Double {
    // The right side falls as T grows, so the least T that is not below it is found by halving.
    var low = 0.0
    var high = time(onGPU: hits)
    for _ in 0..<60 {
      let middle = (low + high) / 2
      if middle >= time(onGPU: hits + middle / copyMicroseconds) {
        high = middle
      } else {
        low = middle
      }
    }
    return low
  }

  /// The time where this many uses (a fraction too) are computed on the GPU.
  private func time(onGPU uses: Double) -> Double {
    guard uses < Double(gains.count) else {
      return fixedMicroseconds - cumulative[gains.count]
    }
    let whole = Int(uses)
    return fixedMicroseconds - cumulative[whole] - (uses - Double(whole)) * gains[whole]
  }

  /// Adds a layer's time without the GPU, and the gains of its lower convex hull.
  private mutating func addLayer(_ loads: [Int], costs: LayerCosts) {
    let count = loads.count
    var cpu = [Double](repeating: 0, count: count + 1)
    var gpu = [Double](repeating: costs.sharedOnGPU, count: count + 1)
    for index in 0..<count {
      cpu[index + 1] = (index == 0 ? costs.cpuFirst : cpu[index]) + costs.cpu(load: loads[index])
      gpu[index + 1] =
        gpu[index] + (index == 0 ? costs.gpuPerLaunch : 0) + costs.gpu(load: loads[index])
    }
    let time = (0...count).map { costs.handshake + max(cpu[count - $0], gpu[$0]) }
    fixedMicroseconds += time[0]
    // Where more experts on the GPU cost more, nobody is forced to put them there: such steps of
    // the hull gain nothing and are left out, but count as possible uses.
    var hull = [0]
    for point in 1..<max(1, count + 1) {
      while hull.count >= 2 {
        let (first, last) = (hull[hull.count - 2], hull[hull.count - 1])
        let slope = (time[last] - time[first]) / Double(last - first)
        let next = (time[point] - time[last]) / Double(point - last)
        guard next <= slope else { break }
        hull.removeLast()
      }
      hull.append(point)
    }
    for (left, right) in zip(hull, hull.dropFirst()) {
      let gain = (time[left] - time[right]) / Double(right - left)
      if gain > 0 { gains.append(contentsOf: repeatElement(gain, count: right - left)) }
    }
  }
}
