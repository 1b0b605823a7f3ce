import ExpertCaching
import ExpertPrefetching
import Experts

// The link between plans: what it carries, and what becomes of it.
extension ExpertDirector {
  /// Takes note of a piece that is through and of what that means.
  mutating func take(_ carried: CarriedPiece, _ completion: TransferQueue.Completion) {
    count(carried)
    switch completion {
    case .partial: break
    case .arrived(let expert, .prefetch):
      report[phase].copiedAhead += 1
      prefetch?.ledger.arrive(expert)
      takePrefetched(expert)
    case .arrived(let expert, .fill):
      report[phase].filled += 1
      takeFilled(expert)
    // Whether it stays was decided with the plan that waits for it.
    case .arrived(let expert, .onDemand):
      prefetch?.ledger.arrive(expert)
      arrived.append(expert)
      note(.arrived(expert))
    case .abandoned(let expert):
      forgetPrefetch(expert)
      note(.abandoned(expert))
    }
  }

  /// The ring's experts of a layer have been read.
  mutating func leaveRing(_ layer: Int) {
    var left: [ExpertID] = []
    ring.leave(layer) { left.append($0) }
    for expert in left { note(.ringLeft(expert)) }
  }

  mutating func emptyRing() {
    var left: [ExpertID] = []
    ring.empty { left.append($0) }
    for expert in left { note(.ringLeft(expert)) }
  }
}
