import Experts

/// The prefetching of the published system, for comparison.
///
/// Rule (arXiv 2504.05897, section IV-C): the predicted experts of the next three layers are taken
/// as certain; each missing one is valued by the makespan that its layer would lose with it
/// resident, and the one of the greatest impact is copied first, as long as the link is idle before
/// the layer starts. The cache's own policy finds the slot.
public struct PaperPrefetcher<Source: MakespanSource>: Prefetcher {
  /// Copies for one layer at most, those on their way included; `nil`: as many as fit.
  public let limitPerLayer: Int?
  private let activated: Int
  private var source: Source
  private var scratch: [LayerCase] = []
  private var room: [Int] = []
  private var order: TopScores

  /// - Parameter activated: experts that each token is routed to.
  public init(source: Source, activated: Int, limitPerLayer: Int? = nil) {
    self.source = source
    self.activated = activated
    self.limitPerLayer = limitPerLayer
    order = TopScores(limit: activated)
  }

  public mutating func choose(
    for layers: [LayerOutlook], link: LinkOutlook, into choices: inout [PrefetchChoice]
  ) {
    choices.removeAll(keepingCapacity: true)
    while scratch.count < layers.count {
      scratch.append(LayerCase(phase: .decode, experts: [], costs: layers[scratch.count].costs))
      room.append(0)
    }
    for position in layers.indices { begin(layers[position], at: position) }
    var free = link.freeIn
    while let best = best(layers, linkFree: free) {
      let layer = layers[best.position]
      let taken = choices.reduce(0) { $0 + ($1.expert.layer == layer.layer ? 1 : 0) }
      let expert = scratch[best.position].experts[best.place].index
      scratch[best.position].experts[best.place].residency = .resident
      room[best.position] -= 1
      free += layer.costs.linkPerExpert
      choices.append(
        PrefetchChoice(
          expert: ExpertID(layer: layer.layer, index: expert), distance: layer.distance,
          probability: layer.probability[expert], expectedGain: best.gain,
          victim: taken < layer.freeSlots ? nil : layer.victims[taken - layer.freeSlots].expert))
    }
  }

  /// Takes the layer's most probable experts, each with its expected tokens, as its routing.
  private mutating func begin(_ layer: LayerOutlook, at position: Int) {
    scratch[position].phase = layer.phase
    scratch[position].costs = layer.costs
    scratch[position].experts.removeAll(keepingCapacity: true)
    room[position] = min(
      layer.freeSlots + layer.victims.count, (limitPerLayer ?? .max) - layer.inFlight.count)
    guard !layer.probability.isEmpty else { return }
    var tokens = 0.0
    for load in layer.expectedLoad { tokens += load / Double(activated) }
    order.select(from: layer.expectedLoad)
    if tokens < 1.5 {
      for rank in 0..<order.count { append(order.indices[rank], load: 1, layer, at: position) }
    } else {
      for expert in layer.expectedLoad.indices where layer.expectedLoad[expert] >= 0.5 {
        let load = Int(layer.expectedLoad[expert].rounded())
        append(expert, load: load, layer, at: position)
      }
    }
  }

  private mutating func append(_ expert: Int, load: Int, _ layer: LayerOutlook, at position: Int) {
    let isHere = layer.resident.contains(expert) || layer.inFlight.contains(expert)
    scratch[position].experts.append(
      ActivatedExpert(index: expert, load: load, residency: isHere ? .resident : .missing))
  }

  private mutating func best(
    _ layers: [LayerOutlook], linkFree: Double
  ) -> (position: Int, place: Int, gain: Double)? {
    var best: (position: Int, place: Int, gain: Double)?
    for position in layers.indices where room[position] > 0 {
      guard linkFree + layers[position].costs.linkPerExpert <= layers[position].startsIn else {
        continue
      }
      let now = source.makespan(of: scratch[position])
      for place in scratch[position].experts.indices
      where scratch[position].experts[place].residency == .missing {
        scratch[position].experts[place].residency = .resident
        let gain = now - source.makespan(of: scratch[position])
        scratch[position].experts[place].residency = .missing
        if gain > best?.gain ?? 0 { best = (position, place, gain) }
      }
    }
    return best
  }
}

/// Copies the next layer's predicted experts, best first, whatever they are worth.
///
/// This is what AdapMoE (arXiv 2408.10284) does: the router of the next layer is asked with this
/// layer's hidden state, and the chosen experts that are missing are loaded at once.
public struct NextLayerPrefetcher: Prefetcher {
  /// Copies for one layer at most, those on their way included; `nil`: all that are predicted.
  public let limitPerLayer: Int?
  private var order: TopScores

  /// - Parameter activated: experts that each token is routed to.
  public init(activated: Int, limitPerLayer: Int? = nil) {
    self.limitPerLayer = limitPerLayer
    order = TopScores(limit: activated)
  }

  public mutating func choose(
    for layers: [LayerOutlook], link: LinkOutlook, into choices: inout [PrefetchChoice]
  ) {
    choices.removeAll(keepingCapacity: true)
    guard let layer = layers.first, layer.distance == 1, !layer.probability.isEmpty else { return }
    let room = min(
      layer.freeSlots + layer.victims.count, (limitPerLayer ?? .max) - layer.inFlight.count)
    order.select(from: layer.expectedLoad)
    for rank in 0..<order.count where choices.count < room && order.scores[rank] > 0 {
      let expert = order.indices[rank]
      guard !layer.resident.contains(expert), !layer.inFlight.contains(expert) else { continue }
      let taken = choices.count
      choices.append(
        PrefetchChoice(
          expert: ExpertID(layer: layer.layer, index: expert), distance: 1,
          probability: layer.probability[expert], expectedGain: 0,
          victim: taken < layer.freeSlots ? nil : layer.victims[taken - layer.freeSlots].expert))
    }
  }
}
