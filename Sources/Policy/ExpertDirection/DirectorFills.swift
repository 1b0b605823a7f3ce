import ExpertCaching
import ExpertPrefetching
import Experts

// Misses that the CPU has computed, and whether they are worth a copy.
extension ExpertDirector {
  /// Fills: misses that the CPU computed are copied afterwards where they are worth a slot. Not in a
  /// prefill, where the link's time belongs to the layers ahead.
  mutating func fillMisses(_ layer: Int) {
    var misses: [RatedExpert] = []
    for operation in plan.operations where operation.lane == .cpu {
      guard case .expert(let index) = operation.subject else { continue }
      let expert = ExpertID(layer: layer, index: index)
      guard !cache.isResident(expert), queue.priority(of: expert) == nil else { continue }
      misses.append(rated(expert))
    }
    guard !misses.isEmpty else { return }
    let bytes = lanes.linkBytes(ofLayer: layer)
    guard system.admission == .bypass else {
      for miss in misses { queue.enqueue(miss.expert, byteCount: bytes, priority: .fill) }
      return
    }
    // A fill keeps pieces in flight that the layers it passes may have to wait for.
    let costs = costs[layer]
    let piece = speed(whileCPUReads: true).duration(ofPiece: queue.largestPieceBytes)
    let layers = costs.linkPerExpert / max(1, plan.makespan)
    let delay = layers * piece * (Double(queue.piecesInFlight) - 0.5)
    var fills: [FillChoice] = []
    FillChooser().choose(
      misses: misses, victims: fillVictims(layer), freeSlots: freeSlots(layer),
      hitValue: costs.cpu(load: 1), delay: delay, into: &fills)
    for fill in fills { queue.enqueue(fill.expert, byteCount: bytes, priority: .fill) }
  }

  private func rated(_ expert: ExpertID) -> RatedExpert {
    RatedExpert(
      expert: expert, activationProbability: cache.activationProbability(of: expert))
  }

  private func freeSlots(_ layer: Int) -> Int {
    max(0, cache.slots(ofLayer: layer) - cache.residents(ofLayer: layer).count)
  }

  private func fillVictims(_ layer: Int) -> [RatedExpert] {
    var victims: [RatedExpert] = []
    let learned = cache.activationProbabilities(ofLayer: layer)
    cache.residents(ofLayer: layer).forEach {
      victims.append(
        RatedExpert(
          expert: ExpertID(layer: layer, index: $0), activationProbability: learned[$0]))
    }
    return victims.sorted { $0.activationProbability < $1.activationProbability }
  }
}
