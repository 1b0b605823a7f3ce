import ExpertPrefetching
import Experts

// The link as it is: the caller moves the pieces and says when they are through.
extension ExpertDirector {
  /// Hands over the next piece to move; `nil` where as many are in flight as may be, or nothing is
  /// left to move. Only with the measured clock.
  ///
  /// A piece with `offset` 0 needs a place on the GPU to go to; where there is none, say
  /// `refuse(_:)` before anything is moved.
  public mutating func nextPiece(at time: Double) -> TransferQueue.Piece? {
    precondition(clock == .measured, "the modelled link moves its own pieces")
    actions.removeAll(keepingCapacity: true)
    guard let piece = queue.nextPiece(at: time) else { return nil }
    issueTimes.append(time)
    return piece
  }

  /// The oldest piece in flight is through. `actions` says what that means for its expert.
  ///
  /// - Returns: the piece, with the time that the link was busy with it.
  @discardableResult
  public mutating func pieceDone(at time: Double) -> CarriedPiece {
    precondition(clock == .measured, "the modelled link moves its own pieces")
    guard let piece = queue.inFlight.first else {
      preconditionFailure("a piece can only end after it was issued")
    }
    actions.removeAll(keepingCapacity: true)
    let start = max(lastPieceEnd, issueTimes.removeFirst())
    let carried = CarriedPiece(piece: piece, start: min(start, time), end: time)
    lastPieceEnd = time
    take(carried, queue.pieceDone(at: time))
    return carried
  }

  /// The GPU has computed this layer's experts of the ring, or their launches are made: copies for
  /// the next layer may have their places. Optional; `endLayer` does it at the latest.
  public mutating func releaseRing() {
    precondition(runningLayer >= 0, "only a running layer has experts in the ring")
    actions.removeAll(keepingCapacity: true)
    releaseRingOfRunningLayer()
  }

  mutating func releaseRingOfRunningLayer() {
    guard !running.hasLeftRing else { return }
    running.hasLeftRing = true
    leaveRing(runningLayer)
    if phase == .prefill, prefetch != nil { streamAhead(of: runningLayer) }
  }
}
