import Experts

/// One layer's experts as amounts that can be divided.
struct LaneSplit {
  let costs: LayerCosts
  let activated: Double
  let load: Double
  var misses = 0.0
  var mayCopy = true
  var cpuBefore = 0.0
  var gpuBefore: Double
  var hasHandshake = true

  init(costs: LayerCosts, activated: Double, load: Double) {
    self.costs = costs
    self.activated = activated
    self.load = load
    gpuBefore = costs.sharedOnGPU
  }

  private var cpuEach: Double { costs.cpuPerExpert + costs.cpuPerToken * load }
  private var gpuEach: Double {
    costs.gpuPerExpert + costs.gpuPerToken * max(0, load - Double(costs.gpuKnee))
  }

  /// The time where the CPU computes `amount` experts: misses first, then residents.
  private func time(onCPU amount: Double) -> Double {
    let onGPU = activated - amount
    let copied = max(0, misses - amount)
    let cpu = amount > 0 ? cpuBefore + costs.cpuFirst + amount * cpuEach : cpuBefore
    let each = amount > 0 ? costs.linkPerExpert : costs.linkPerExpertAlone
    // The last expert that arrives is computed after its copy.
    let link = copied > 0 ? copied * each + min(1, copied) * gpuEach : 0
    let gpu = gpuBefore + (onGPU > 0 ? costs.gpuPerLaunch + onGPU * gpuEach : 0)
    return max(cpu, link, gpu)
  }

  /// With a growing amount the CPU's time grows and the others' fall, so the best amount is where
  /// the lines cross; the ends are tried too, since there the line jumps.
  var makespan: Double {
    // Without copies the CPU must take all misses.
    let least = mayCopy ? 0 : misses
    let start = cpuBefore + costs.cpuFirst
    let link = costs.linkPerExpert
    let withLink = (misses * link + gpuEach - start) / (cpuEach + link)
    // Where less than one expert is copied, its part on the GPU shrinks with it.
    let withLastCopy = (misses * (link + gpuEach) - start) / (cpuEach + link + gpuEach)
    let withGPU =
      (gpuBefore + costs.gpuPerLaunch + activated * gpuEach - start) / (cpuEach + gpuEach)
    let amounts = [least, misses, activated, withLink, withLastCopy, withGPU]
    let times = amounts.map { amount in
      time(onCPU: amount.isFinite ? min(activated, max(least, amount)) : least)
    }
    return (times.min() ?? 0) + (hasHandshake ? costs.handshake : 0)
  }

  /// Largest number of activated experts for which whole experts are counted.
  static let countingLimit = 32

  /// The mean over steps in which each activated expert is a hit by itself with this probability.
  ///
  /// With few experts a mean of fractions would be too kind: half a miss costs half a copy there,
  /// but in truth there is none or a whole one. So whole experts are split, for every number of
  /// misses, weighted by the binomial distribution.
  func meanMakespan(hitRate: Double) -> Double {
    let count = Int(activated)
    guard Double(count) == activated, count <= Self.countingLimit else { return makespan }
    var sum = 0.0
    var ways = 1.0
    for missed in 0...count {
      let probability =
        ways * power(1 - hitRate, Double(missed)) * power(hitRate, Double(count - missed))
      sum += probability * wholeMakespan(count, missed: missed)
      ways *= Double(count - missed) / Double(missed + 1)
    }
    return sum
  }

  private func wholeMakespan(_ count: Int, missed: Int) -> Double {
    var best = Double.infinity
    for onCPU in (mayCopy ? 0 : missed)...count {
      let copied = max(0, missed - onCPU)
      let launches = copied + (count - onCPU > copied ? 1 : 0)
      let each = onCPU > 0 ? costs.linkPerExpert : costs.linkPerExpertAlone
      let cpu = cpuBefore + (onCPU > 0 ? costs.cpuFirst + Double(onCPU) * cpuEach : 0)
      let gpu =
        gpuBefore + Double(launches) * costs.gpuPerLaunch + Double(count - onCPU) * gpuEach
      let link = copied > 0 ? Double(copied) * each + costs.gpuPerLaunch + gpuEach : 0
      best = min(best, max(cpu, gpu, link))
    }
    return best + (hasHandshake ? costs.handshake : 0)
  }
}
