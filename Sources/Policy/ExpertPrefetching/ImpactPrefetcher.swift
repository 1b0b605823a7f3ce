import Experts

/// Copies ahead what is expected to save the most time, all costs of the copy counted.
///
/// Intuition: a likely expert is not always a valuable one. Where the CPU computes a layer's misses
/// while the GPU is busy anyway, a further hit saves nothing; where the CPU is the bottleneck, it
/// saves a whole expert's time. So every candidate is valued by what its layer's makespan would lose
/// with it resident, and that is weighed by how probable its activation is.
///
/// Rule: expected gain = impact × calibrated probability × the part that arrives in time
/// − expected delay of copies that plans wait for − value of the victim. The impact comes from the
/// scheduler's own simulation. Greatest gain first; nearer layers where gains are equal; copies are
/// issued in the order of their layers, because a copy for a far layer can wait for the link and one
/// for the next layer cannot. What a choice pushes past the start of its layer is charged to it.
/// Ends when nothing gains. A layer whose measured gain is negative is left out (`PrefetchGate`).
///
/// Differs from the paper (arXiv 2504.05897, section IV-C): it takes predictions as certain, and
/// counts neither delay nor victim; `PaperPrefetcher` does just that. Rejected: filling the link as
/// long as there is room (with a small cache, most copies then push out something better), and an
/// exact choice over all subsets (the greedy choice is exact for copies of one size with deadlines
/// and independent gains, and gains change within a layer only through later choices).
///
/// - Complexity: O(layers · (experts + copies²)), and at most `activated + 1` simulations for costs
///   that were not met before in decode; `candidateLimit` simulations a layer, and one for each
///   choice, in prefill.
public struct ImpactPrefetcher<Source: MakespanSource>: Prefetcher {
  /// Copies for one layer at most; `nil`: as many as gain.
  public let limitPerLayer: Int?
  /// Missing experts of a layer that are valued at all, the most promising first.
  public let candidateLimit: Int
  /// The gate of each layer; `nil`: always open.
  public var gate: PrefetchGate?
  var model: ImpactModel<Source>
  private var works: [LayerWork]

  public init(
    source: Source, limitPerLayer: Int? = nil, gate: PrefetchGate? = nil, candidateLimit: Int = 8
  ) {
    precondition(candidateLimit > 0)
    self.limitPerLayer = limitPerLayer
    self.candidateLimit = candidateLimit
    self.gate = gate
    model = ImpactModel(source: source)
    works = []
  }

  /// Tells the gate what prefetching has brought in a layer's run.
  public mutating func layerRan(_ layer: Int, gain: Double?) {
    gate?.layerRan(layer, gain: gain)
  }

  public mutating func choose(
    for layers: [LayerOutlook], link: LinkOutlook, into choices: inout [PrefetchChoice]
  ) {
    choices.removeAll(keepingCapacity: true)
    while works.count < layers.count { works.append(LayerWork(candidateLimit: candidateLimit)) }
    for position in layers.indices {
      let isOpen = gate?.isOpen(layers[position].layer) ?? true
      works[position].begin(layers[position], limit: isOpen ? limitPerLayer ?? .max : 0)
      if works[position].isOpen { model.begin(&works[position], layers[position]) }
    }
    while let best = bestLayer(layers, link: link) {
      works[best.position].take(gain: best.gain)
      model.took(&works[best.position], layers[best.position])
    }
    for position in layers.indices { works[position].appendChoices(layers[position], to: &choices) }
  }

  /// The layer whose next candidate gains most, if any gains.
  private mutating func bestLayer(
    _ layers: [LayerOutlook], link: LinkOutlook
  ) -> (position: Int, gain: Double)? {
    var best: (position: Int, gain: Double)?
    for position in layers.indices where works[position].isOpen {
      let value = works[position].value
      guard value > (best?.gain ?? 0) else { continue }
      let gain =
        value * works[position].promptness(layers, works: works, at: position, link: link)
        - works[position].victimCost
        - pushedOut(by: position, layers, link: link)
        - expectedDelay(by: position, layers, link: link)
      if gain > (best?.gain ?? 0) { best = (position, gain) }
    }
    return best
  }
}
