import ExpertPrefetching
import Experts

// When the machine cannot do what was decided.
extension ExpertDirector {
  /// An expert's copy cannot be made, or its place is lost: it is given up, and leaves the cache
  /// where it was counted as resident.
  ///
  /// An expert of the running plan must then be computed by the CPU. A transfer whose last piece has
  /// been handed over ends as it would.
  public mutating func refuse(_ expert: ExpertID) {
    actions.removeAll(keepingCapacity: true)
    for priority in TransferQueue.Priority.allCases {
      for expert in queue.cancel(priority, where: { $0 == expert }) { note(.abandoned(expert)) }
    }
    forgetPrefetch(expert)
    guard cache.isResident(expert) else { return }
    cache.evict(expert, phase: phase)
    note(.evicted(expert))
  }

  /// Takes slots away from a layer for ever, the least valuable residents' first, because the memory
  /// behind them is gone.
  ///
  /// - Returns: how many were taken; fewer than asked for where the layer has no more.
  @discardableResult
  public mutating func shrink(layer: Int, by count: Int) -> Int {
    precondition(runningLayer < 0, "slots are taken away between layers")
    actions.removeAll(keepingCapacity: true)
    var taken = 0
    while taken < count, cache.slots(ofLayer: layer) > 0 {
      // The newcomer only names the layer.
      switch cache.offer(for: ExpertID(layer: layer, index: 0)) {
      case .free: break
      case .replacing(let victim, _):
        cache.evict(victim, phase: phase)
        note(.evicted(victim))
      case .none: return taken
      }
      cache.removeFreeSlot(ofLayer: layer)
      taken += 1
    }
    return taken
  }

  /// Takes places away from a prefill's ring.
  ///
  /// - Returns: how many were taken.
  @discardableResult
  public mutating func shrinkRing(by count: Int) -> Int {
    precondition(runningLayer < 0, "places are taken away between layers")
    let taken = max(0, min(count, ring.capacity))
    ring.capacity -= taken
    return taken
  }
}
