import Devices
import ExpertDirection
import ExpertPrefetching
import Experts
import Synchronization

// With the measured clock: the link at work beside the host.
extension HybridExecutor {
  /// Takes note of the pieces that are through and issues the next ones, on the link's thread.
  func driveLink() throws -> (any DeviceEvent)? {
    while true {
      let piece = try lock.withLock { _ throws -> TransferQueue.Piece? in
        while let first = inFlight.first, try first.event.isDone() {
          inFlight.removeFirst()
          director.pieceDone(at: try first.event.time() ?? device.clock.now)
          try follow()
        }
        return director.nextPiece(at: device.clock.now)
      }
      guard let piece else { break }
      if piece.offset == 0 { weights.packAlone(piece.expert) }
      try lock.withLock { _ in
        try residency.carry(
          piece.expert, through: piece.offset + piece.byteCount, piece.priority)
        inFlight.append(try marks.mark(uploader.stream))
      }
    }
    return lock.withLock { _ in inFlight.first?.event }
  }

  func linkFailed(_ error: any Error) {
    lock.withLock { _ in
      linkFailure = error
      forgetUploads()
    }
    linkHasFailed.store(true, ordering: .releasing)
  }

  func checkLink() throws {
    guard linkHasFailed.load(ordering: .acquiring) else { return }
    if let error = lock.withLock({ _ in linkFailure }) { throw error }
  }

  func linkMicroseconds(_ layer: Int) -> Double {
    let bytes = Double(lanes.linkBytes(ofLayer: layer))
    return lanes.link.latencyMicroseconds + bytes / lanes.link.overlappedBytesPerMicrosecond
  }

  // The costs follow what the lanes take, so that plans fit a machine that has become slower or faster.
  func refreshCosts() {
    guard clock == .measured, var measured = lanes as? MeasuredLanes else { return }
    let ratios = recorder.takeRatios()
    guard !ratios.isEmpty else { return }
    for (lane, ratio) in ratios { measured.scales.follow(lane, ratio) }
    lanes = measured
    director.updateCosts(measured)
  }
}
