import Experts

/// Copies ahead what is expected to save the most time, all costs of the copy counted.
///
/// Intuition: a likely expert is not always a valuable one. Where the CPU computes a layer's misses
/// while the GPU is busy anyway, a further hit saves nothing; where the CPU is the bottleneck, it
/// saves a whole expert's time. So every candidate is valued by what its layer's makespan would lose
/// with it resident, and that is weighed by how probable its activation is.
///
/// Rule: expected gain = impact, as late as it will arrive, × calibrated probability
/// − expected delay of copies that plans wait for − value of the victim. The impact comes from the
/// scheduler's own simulation. Greatest gain first; nearer layers where gains are equal; copies are
/// issued in the order of their layers, because a copy for a far layer can wait for the link and one
/// for the next layer cannot. What a choice pushes past the start of its layer is charged to it.
/// Ends when nothing gains. A layer whose measured gain is negative is left out (`PrefetchGate`).
///
/// Differs from the paper (arXiv 2504.05897, section IV-C): it takes predictions as certain, and
/// counts neither delay nor victim; `PaperPrefetcher` does just that. Rejected: filling the link as
/// long as there is room (with a small cache most copies then push out something better), and an
/// exact choice over all subsets (choosing the greatest first is exact for copies of one size with
/// deadlines, and gains change within a layer only through earlier choices).
///
/// - Complexity: O(layers · experts + layers · copies²); simulations in decode only for costs that
///   were not met before, in prefill at most `candidateLimit` + 1 for a layer and for each choice.
public struct ImpactPrefetcher<Source: MakespanSource>: Prefetcher {
  /// Copies for one layer at most, those on their way included; `nil`: as many as gain.
  public let limitPerLayer: Int?
  /// Missing experts of a layer that are valued at all, the most probable first.
  public let candidateLimit: Int
  /// The gate of each layer; `nil`: always open.
  public private(set) var gate: PrefetchGate?
  private var model: ImpactModel<Source>
  private var works: [LayerWork] = []

  public init(
    source: Source, limitPerLayer: Int? = nil, gate: PrefetchGate? = nil, candidateLimit: Int = 8
  ) {
    precondition(candidateLimit > 0)
    self.limitPerLayer = limitPerLayer
    self.candidateLimit = candidateLimit
    self.gate = gate
    model = ImpactModel(source: source)
  }

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
    var value = 0.0
    while let best = bestLayer(layers, link, value: value) {
      value = best.value
      works[best.position].take(layers[best.position], gain: best.gain)
      if works[best.position].isOpen { model.took(&works[best.position], layers[best.position]) }
    }
    for position in layers.indices { works[position].append(to: &choices, layers[position]) }
  }

  /// The layer whose next candidate gains most, if any gains, and the value of all choices with it.
  private func bestLayer(
    _ layers: [LayerOutlook], _ link: LinkOutlook, value: Double
  ) -> (position: Int, gain: Double, value: Double)? {
    var best: (position: Int, gain: Double, value: Double)?
    for position in layers.indices where works[position].isOpen {
      let most = works[position].probability * works[position].worth[0]
      guard most > best?.gain ?? 0 else { continue }
      let with = self.value(with: position, layers, link)
      let gain =
        with - value - works[position].victimCost - delay(of: position, layers, link)
      if gain > best?.gain ?? 0 { best = (position, gain, with) }
    }
    return best
  }

  /// The value of all choices, as late as they arrive, with one more for the layer at `extra`.
  private func value(with extra: Int, _ layers: [LayerOutlook], _ link: LinkOutlook) -> Double {
    var sum = 0.0
    var time = link.freeIn
    for position in layers.indices {
      let copy = layers[position].costs.linkPerExpert
      let start = layers[position].startsIn
      sum += works[position].value(from: &time, copy: copy, start: start)
      guard position == extra else { continue }
      time += copy
      sum +=
        works[position].probability
        * Lateness.worth(works[position].worth, at: (time - start) / copy)
    }
    return sum
  }

  /// How long copies that plans wait for are held up by one more copy at the queue's end, in
  /// expectation: a layer that starts while it moves finds the pieces in flight before it, half of
  /// one done. (Layers that start earlier find the queue as busy as it was.)
  private func delay(of extra: Int, _ layers: [LayerOutlook], _ link: LinkOutlook) -> Double {
    var end = link.freeIn
    for position in layers.indices {
      end += layers[position].costs.linkPerExpert * Double(works[position].chosen.count)
    }
    let copy = layers[extra].costs.linkPerExpert
    let pieces = min(copy, link.pieceMicroseconds * (Double(link.piecesInFlight) - 0.5))
    var sum = 0.0
    // By position, because a layer's outlook is large to copy.
    for position in layers.indices {
      let start = layers[position].startsIn
      if start > end, start < end + copy { sum += layers[position].onDemandProbability * pieces }
    }
    return sum
  }
}
