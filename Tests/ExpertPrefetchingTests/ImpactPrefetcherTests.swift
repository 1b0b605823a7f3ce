import ExpertPrefetching
import ExpertScheduling
import Experts
import TestSupport
import Testing

/// A few layers of few experts, small enough to try everything.
struct SmallWorld {
  var layers: [LayerOutlook] = []
  var link = LinkOutlook(freeIn: 0, pieceMicroseconds: 2)
  let activated: Int

  init(seed: UInt64, layers count: Int, experts: Int = 6, activated: Int = 2) {
    var random = SeededGenerator(seed: seed)
    self.activated = activated
    link.freeIn = Double(Int.random(in: 0...20, using: &random))
    for layer in 0..<count {
      var costs = LayerCosts(
        cpuPerToken: Double.random(in: 1...20, using: &random),
        gpuPerExpert: Double.random(in: 0.5...4, using: &random), linkPerExpert: 8)
      costs.cpuFirst = Double.random(in: 0...3, using: &random)
      costs.sharedOnGPU = Double.random(in: 0...5, using: &random)
      var outlook = LayerOutlook(
        layer: layer + 1, distance: layer + 1, phase: .decode, costs: costs, expertBytes: 100,
        startsIn: Double(layer + 1) * Double(Int.random(in: 4...30, using: &random)))
      var weights: [Double] = []
      for _ in 0..<experts { weights.append(Double.random(in: 0.01...1, using: &random)) }
      let sum = weights.reduce(0, +)
      outlook.probability = weights.map { min(0.97, $0 / sum * Double(activated)) }
      outlook.expectedLoad = outlook.probability
      outlook.onDemandProbability = Double.random(in: 0...1, using: &random)
      for expert in 0..<experts {
        switch Int.random(in: 0..<4, using: &random) {
        case 0:
          outlook.resident.insert(expert)
          outlook.victims.append(
            RatedExpert(
              expert: ExpertID(layer: layer + 1, index: expert),
              activationProbability: Double.random(in: 0...0.4, using: &random)))
        case 1 where seed % 3 == 0: outlook.inFlight.insert(expert)
        default: break
        }
      }
      outlook.freeSlots = Int.random(in: 0...2, using: &random)
      layers.append(outlook)
    }
  }

  /// The mean makespan of a layer over every combination of hits among its residents: at most all
  /// but one of the activated experts are others than the one in question.
  ///
  /// - Parameter lateness: how much of a copy is missing at the layer's start; between eighths (from
  ///   0 to 7) the worth is a straight line, and a copy that has not begun is worth nothing.
  func impact(_ position: Int, chosen: [Int], lateness: Double = 0) -> Double {
    guard lateness < 1 else { return 0 }
    let place = max(0, lateness) * 7
    let knot = min(6, Int(place))
    let low = impact(position, chosen, knot: knot)
    let high = knot == 6 ? 0 : impact(position, chosen, knot: knot + 1)
    return low + (high - low) * (place - Double(knot))
  }

  private func impact(_ position: Int, _ chosen: [Int], knot: Int) -> Double {
    let layer = layers[position]
    let here = layer.probability.indices.filter {
      layer.resident.contains($0) || layer.inFlight.contains($0) || chosen.contains($0)
    }
    let expected = max(1, Int(layer.probability.reduce(0, +).rounded()))
    var sum = 0.0
    for combination in 0..<(1 << here.count) {
      var probability = 1.0
      var hits = 0
      for (place, expert) in here.enumerated() {
        let isHit = combination >> place & 1 == 1
        probability *= isHit ? layer.probability[expert] : 1 - layer.probability[expert]
        hits += isHit ? 1 : 0
      }
      hits = min(hits, expected - 1)
      sum +=
        probability
        * (makespan(position, hits, of: expected)
          - makespan(position, hits, knot: knot, of: expected))
    }
    return sum
  }

  private func makespan(_ position: Int, _ hits: Int, knot: Int? = nil, of count: Int) -> Double {
    var scheduler = HybridScheduler()
    var layerCase = LayerCase(
      phase: .decode,
      experts: (0..<count).map {
        ActivatedExpert(index: $0, load: 1, residency: $0 < hits ? .resident : .missing)
      }, costs: layers[position].costs)
    if let knot {
      let arrival = layers[position].costs.linkPerExpert * Double(knot) / 7
      layerCase.experts[hits].residency = knot == 0 ? .resident : .arriving(at: arrival)
      layerCase.linkFree = arrival
    }
    return scheduler.makespan(of: layerCase)
  }

  /// What a single copy is expected to gain; `nil` where it may not be made, which includes a layer
  /// whose one copy is on its way already.
  func gain(_ position: Int, _ expert: Int) -> Double? {
    let layer = layers[position]
    guard !layer.resident.contains(expert), layer.inFlight.isEmpty else { return nil }
    let impact = impact(position, chosen: [])
    let end = link.freeIn + layer.costs.linkPerExpert
    let lateness = (end - layer.startsIn) / layer.costs.linkPerExpert
    var victim = 0.0
    if layer.freeSlots == 0 {
      guard
        let least = layer.victims.map({
          max($0.activationProbability, layer.probability[$0.expert.index])
        }).min()
      else { return nil }
      victim = least
    }
    var delay = 0.0
    for other in layers where link.freeIn < other.startsIn && other.startsIn < end {
      delay += other.onDemandProbability * min(layer.costs.linkPerExpert, 1.5 * 2)
    }
    return layer.probability[expert] * self.impact(position, chosen: [], lateness: lateness)
      - victim * impact - delay
  }
}

@Suite struct ImpactPrefetcherTests {
  @Test func `one free copy goes to the expert that gains most`() {
    var copies = 0
    for seed in 0..<1500 as Range<UInt64> {
      let world = SmallWorld(seed: seed, layers: Int(1 + seed % 3))
      var best = (gain: 0.0, expert: ExpertID(layer: 0, index: 0))
      for position in world.layers.indices {
        for expert in 0..<6 {
          guard let gain = world.gain(position, expert), gain > best.gain + 1e-9 else { continue }
          best = (gain, ExpertID(layer: position + 1, index: expert))
        }
      }
      var choices: [PrefetchChoice] = []
      var prefetcher = ImpactPrefetcher(source: HybridScheduler(), limitPerLayer: 1)
      prefetcher.choose(for: world.layers, link: world.link, into: &choices)
      // Later choices are made beside the first, and stand after it in the list if their layer does.
      let first = choices.first { abs($0.expectedGain - best.gain) < 1e-6 }
      #expect((first == nil) == (best.gain == 0), "seed \(seed)")
      if let first { #expect(first.expert == best.expert, "seed \(seed)") }
      if choices.count == 1 { #expect(first != nil, "seed \(seed)") }
      copies += choices.isEmpty ? 0 : 1
    }
    #expect(copies > 100)
  }

  @Test func `nothing resident, nothing in flight and nothing twice is copied`() {
    for seed in 0..<1000 as Range<UInt64> {
      let world = SmallWorld(seed: seed, layers: 3)
      var choices: [PrefetchChoice] = []
      var prefetcher = ImpactPrefetcher(source: HybridScheduler())
      var paper = PaperPrefetcher(source: HybridScheduler(), activated: 2)
      var next = NextLayerPrefetcher(activated: 2)
      for which in 0..<3 {
        switch which {
        case 0: prefetcher.choose(for: world.layers, link: world.link, into: &choices)
        case 1: paper.choose(for: world.layers, link: world.link, into: &choices)
        default: next.choose(for: world.layers, link: world.link, into: &choices)
        }
        var seen: Set<ExpertID> = []
        var victims: Set<ExpertID> = []
        for choice in choices {
          let layer = world.layers[choice.expert.layer - 1]
          #expect(!layer.resident.contains(choice.expert.index), "seed \(seed)")
          #expect(!layer.inFlight.contains(choice.expert.index), "seed \(seed)")
          #expect(seen.insert(choice.expert).inserted, "seed \(seed)")
          #expect(choice.distance == layer.distance)
          if let victim = choice.victim {
            #expect(victims.insert(victim).inserted, "seed \(seed)")
            #expect(layer.resident.contains(victim.index), "seed \(seed)")
          }
          if which == 0 { #expect(choice.expectedGain > 0, "seed \(seed)") }
        }
        for layer in world.layers {
          let taken = choices.filter { $0.expert.layer == layer.layer }
          let free = taken.filter { $0.victim == nil }.count
          #expect(free <= layer.freeSlots, "seed \(seed)")
          #expect(free == min(taken.count, layer.freeSlots), "seed \(seed)")
        }
      }
    }
  }

  @Test func `copies are issued layer by layer and keep their limit`() {
    for seed in 0..<500 as Range<UInt64> {
      let world = SmallWorld(seed: seed, layers: 3)
      var prefetcher = ImpactPrefetcher(source: HybridScheduler(), limitPerLayer: 1)
      var choices: [PrefetchChoice] = []
      prefetcher.choose(for: world.layers, link: world.link, into: &choices)
      #expect(choices.map(\.distance) == choices.map(\.distance).sorted(), "seed \(seed)")
      for layer in world.layers {
        let count = choices.filter { $0.expert.layer == layer.layer }.count
        #expect(count == 0 || count + layer.inFlight.count <= 1, "seed \(seed)")
      }
      var off = ImpactPrefetcher(source: HybridScheduler(), limitPerLayer: 0)
      off.choose(for: world.layers, link: world.link, into: &choices)
      #expect(choices.isEmpty)
    }
  }

  @Test func `a copy that cannot arrive in time is not begun`() {
    for seed in 0..<200 as Range<UInt64> {
      var world = SmallWorld(seed: seed, layers: 3)
      world.link.freeIn = (world.layers.map(\.startsIn).max() ?? 0) + 1
      var choices: [PrefetchChoice] = []
      var prefetcher = ImpactPrefetcher(source: HybridScheduler())
      prefetcher.choose(for: world.layers, link: world.link, into: &choices)
      #expect(choices.isEmpty, "seed \(seed)")
    }
  }

  @Test func `a victim that is as likely to be used as the newcomer stays`() {
    var world = SmallWorld(seed: 3, layers: 1)
    world.layers[0].freeSlots = 0
    world.layers[0].resident = ExpertSet(0..<3)
    world.layers[0].inFlight = ExpertSet()
    world.layers[0].victims = (0..<3).map {
      RatedExpert(expert: ExpertID(layer: 1, index: $0), activationProbability: 1)
    }
    world.layers[0].startsIn = 1e6
    var choices: [PrefetchChoice] = []
    var prefetcher = ImpactPrefetcher(source: HybridScheduler())
    prefetcher.choose(for: world.layers, link: world.link, into: &choices)
    #expect(choices.isEmpty)
    world.layers[0].victims[1].activationProbability = 0
    world.layers[0].probability[1] = 0
    world.layers[0].expectedLoad[1] = 0
    prefetcher.choose(for: world.layers, link: world.link, into: &choices)
    #expect(choices.map(\.victim?.index) == [1])
  }

  @Test func `with several tokens the heavier expert of two alike goes first`() {
    var outlook = LayerOutlook(
      layer: 1, distance: 1, phase: .prefill,
      costs: LayerCosts(cpuPerToken: 10, gpuPerExpert: 1, linkPerExpert: 50), expertBytes: 1,
      startsIn: 50)
    outlook.probability = [0.99, 0.99, 0.99, 0.99]
    outlook.expectedLoad = [3, 20, 4, 2]
    outlook.freeSlots = 4
    var choices: [PrefetchChoice] = []
    var prefetcher = ImpactPrefetcher(source: HybridScheduler())
    prefetcher.choose(
      for: [outlook], link: LinkOutlook(freeIn: 0, pieceMicroseconds: 1), into: &choices)
    #expect(choices.map(\.expert.index) == [1])
  }

  @Test func `a layer where prefetching was measured to cost time is left alone`() {
    var world = SmallWorld(seed: 1, layers: 1)
    world.layers[0].startsIn = 1e6
    world.layers[0].freeSlots = 6
    var choices: [PrefetchChoice] = []
    var prefetcher = ImpactPrefetcher(
      source: HybridScheduler(), gate: PrefetchGate(layers: 2))
    prefetcher.choose(for: world.layers, link: world.link, into: &choices)
    #expect(!choices.isEmpty)
    for _ in 0..<20 { prefetcher.layerRan(1, gain: -1) }
    prefetcher.choose(for: world.layers, link: world.link, into: &choices)
    #expect(choices.isEmpty)
  }

  @Test func `greedy choices come close to the best of all sets`() {
    var worst = 1.0
    var sum = 0.0
    var worlds = 0.0
    for seed in 0..<200 as Range<UInt64> {
      var world = SmallWorld(seed: seed, layers: 1, activated: 3)
      world.layers[0].startsIn = 20
      world.link.freeIn = 0
      world.layers[0].onDemandProbability = 0
      world.layers[0].freeSlots = 6
      var choices: [PrefetchChoice] = []
      var prefetcher = ImpactPrefetcher(source: HybridScheduler())
      prefetcher.choose(for: world.layers, link: world.link, into: &choices)
      let best = bestSet(world)
      guard best > 1e-9 else { continue }
      let ratio = choices.reduce(0) { $0 + $1.expectedGain } / best
      worst = min(worst, ratio)
      sum += ratio
      worlds += 1
      #expect(ratio < 1 + 1e-9, "seed \(seed)")
    }
    #expect(sum / worlds > 0.99 && worst > 0.8, "mean \(sum / worlds), worst \(worst)")
  }

  /// The best gain of any sequence of copies into free slots of one layer.
  private func bestSet(_ world: SmallWorld, chosen: [Int] = [], value: Double = 0) -> Double {
    let layer = world.layers[0]
    let end = Double(chosen.count + 1) * layer.costs.linkPerExpert
    let lateness = (end - layer.startsIn) / layer.costs.linkPerExpert
    var best = value
    guard lateness < 1 else { return best }
    let impact = world.impact(0, chosen: chosen, lateness: lateness)
    for expert in layer.probability.indices
    where !layer.resident.contains(expert) && !layer.inFlight.contains(expert)
      && !chosen.contains(expert)
    {
      let gain = layer.probability[expert] * impact
      best = max(best, bestSet(world, chosen: chosen + [expert], value: value + gain))
    }
    return best
  }
}
