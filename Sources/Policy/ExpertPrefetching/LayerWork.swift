import Experts

/// What `ImpactPrefetcher` notes about a layer while it chooses; kept between calls for its memory.
struct LayerWork: Sendable {
  struct Choice: Sendable {
    var expert: Int
    var probability: Double
    /// What it is worth if it is activated, in microseconds, by lateness.
    var worth: Lateness.Values
    var gain: Double
    var victim: RatedExpert?
  }

  private let candidateLimit: Int
  /// Missing experts that may be chosen, the most probable first.
  private(set) var candidates: [Int] = []
  private(set) var chosen: [Choice] = []
  /// Experts that the layer is expected to activate.
  private(set) var activated = 0
  /// Whether each expert can have one token at most.
  private(set) var isDecode = false
  /// The probability of each number of hits among the others, up to `activated` − 1.
  private(set) var hits: [Double] = []
  /// What a hit more is worth, in microseconds, by lateness.
  var worth = Lateness.Values.zero
  /// The probability of the candidate on offer.
  private(set) var probability = 0.0
  private(set) var victimCost = 0.0
  private(set) var lastProbability = 0.0
  private var offered = -1
  private var offeredVictim: Int?
  private var limit = 0
  private var usedVictims = ExpertSet()
  private var order: TopScores
  private var masked: [Double] = []

  init(candidateLimit: Int) {
    self.candidateLimit = candidateLimit
    order = TopScores(limit: candidateLimit)
    candidates.reserveCapacity(candidateLimit)
  }

  /// Something may still be chosen.
  var isOpen: Bool { chosen.count < limit && !candidates.isEmpty }

  /// Forgets the last layer and finds this one's candidates.
  mutating func begin(_ layer: LayerOutlook, limit: Int) {
    chosen.removeAll(keepingCapacity: true)
    candidates.removeAll(keepingCapacity: true)
    usedVictims = ExpertSet()
    probability = 0
    self.limit = max(0, limit - layer.inFlight.count)
    guard self.limit > 0, !layer.probability.isEmpty else { return }
    var expected = 0.0
    var difference = 0.0
    masked.removeAll(keepingCapacity: true)
    for expert in layer.probability.indices {
      let probability = layer.probability[expert]
      expected += probability
      difference = max(difference, layer.expectedLoad[expert] - probability)
      let isHere = layer.resident.contains(expert) || layer.inFlight.contains(expert)
      masked.append(isHere ? -1 : probability)
    }
    activated = max(1, Int(expected.rounded()))
    isDecode = difference < 1e-6
    order.select(from: masked)
    for rank in 0..<order.count where order.scores[rank] > 0 {
      candidates.append(order.indices[rank])
    }
  }

  /// The tokens of an expert, if it is activated.
  func load(_ expert: Int, _ layer: LayerOutlook) -> Int {
    let probability = layer.probability[expert]
    guard probability > 0 else { return 1 }
    return max(1, Int((layer.expectedLoad[expert] / probability).rounded()))
  }

  /// Starts the distribution of hits from the residents' probabilities.
  mutating func spreadHits(_ layer: LayerOutlook) {
    hits.removeAll(keepingCapacity: true)
    for count in 0..<activated { hits.append(count == 0 ? 1 : 0) }
    for expert in layer.probability.indices where masked[expert] < 0 {
      addHit(probability: layer.probability[expert])
    }
  }

  /// One more expert that is a hit with this probability. A layer has `activated` experts, so of the
  /// others at most one fewer are hits.
  mutating func addHit(probability: Double) {
    // What is less probable than this moves no figure by as much as the predictions err.
    guard probability > 0.002 else { return }
    let last = activated - 1
    guard last > 0 else { return }
    hits[last] += hits[last - 1] * probability
    var count = last - 1
    while count > 0 {
      hits[count] = hits[count] * (1 - probability) + hits[count - 1] * probability
      count -= 1
    }
    hits[0] *= 1 - probability
  }

  /// Puts the most probable candidate on offer.
  mutating func offerNext(_ layer: LayerOutlook) { offer(0, layer) }

  /// Puts a candidate on offer; a negative position means that none is worth anything.
  mutating func offer(_ position: Int, _ layer: LayerOutlook) {
    offered = position
    guard position >= 0 else {
      probability = 0
      return
    }
    probability = layer.probability[candidates[position]]
    findVictim(layer)
  }

  /// The cheapest resident to lose, where no slot is free.
  private mutating func findVictim(_ layer: LayerOutlook) {
    offeredVictim = nil
    victimCost = 0
    guard chosen.count >= layer.freeSlots else { return }
    victimCost = .infinity
    for position in layer.victims.indices.prefix(ExpertSet.limit)
    where !usedVictims.contains(position) {
      let victim = layer.victims[position]
      var probability = victim.activationProbability
      if victim.expert.layer == layer.layer {
        probability = max(probability, layer.probability[victim.expert.index])
      }
      if probability * worth[0] < victimCost {
        victimCost = probability * worth[0]
        offeredVictim = position
      }
    }
  }

  /// Chooses what is on offer.
  mutating func take(_ layer: LayerOutlook, gain: Double) {
    let expert = candidates.remove(at: offered)
    lastProbability = layer.probability[expert]
    chosen.append(
      Choice(
        expert: expert, probability: lastProbability, worth: worth, gain: gain,
        victim: offeredVictim.map { layer.victims[$0] }))
    if let offeredVictim { usedVictims.insert(offeredVictim) }
    probability = 0
  }

  /// What is chosen so far is worth, if its copies begin at `time`; moves that to their end.
  func value(from time: inout Double, copy: Double, start: Double) -> Double {
    var sum = 0.0
    for place in chosen.indices {
      time += copy
      sum +=
        chosen[place].probability
        * Lateness.worth(chosen[place].worth, at: (time - start) / copy)
    }
    return sum
  }

  func append(to choices: inout [PrefetchChoice], _ layer: LayerOutlook) {
    for choice in chosen {
      choices.append(
        PrefetchChoice(
          expert: ExpertID(layer: layer.layer, index: choice.expert), distance: layer.distance,
          probability: layer.probability[choice.expert], expectedGain: choice.gain,
          victim: choice.victim?.expert))
    }
  }

  /// The likeliest routing, with what was chosen resident.
  func expectedCase(_ layer: LayerOutlook, into result: inout LayerCase) {
    result.phase = layer.phase
    result.costs = layer.costs
    result.experts.removeAll(keepingCapacity: true)
    // The probability above which `activated` experts lie, by halving.
    var (low, high) = (0.0, 1.0)
    for _ in 0..<20 {
      let middle = (low + high) / 2
      var above = 0
      for probability in layer.probability where probability > middle { above += 1 }
      if above > activated { low = middle } else { high = middle }
    }
    for expert in layer.probability.indices where layer.probability[expert] > high {
      append(expert, layer, to: &result)
    }
    for expert in layer.probability.indices
    where result.experts.count < activated && layer.probability[expert] > low
      && layer.probability[expert] <= high
    {
      append(expert, layer, to: &result)
    }
  }

  private func append(_ expert: Int, _ layer: LayerOutlook, to result: inout LayerCase) {
    let isHere = masked[expert] < 0 || chosen.contains { $0.expert == expert }
    result.experts.append(
      ActivatedExpert(
        index: expert, load: load(expert, layer), residency: isHere ? .resident : .missing))
  }
}
