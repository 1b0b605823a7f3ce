import Experts

/// How fast the link is now.
public struct LinkSpeed: Equatable, Sendable {
  /// Paid once for each expert.
  public var latencyMicroseconds: Double
  public var bytesPerMicrosecond: Double

  public init(latencyMicroseconds: Double, bytesPerMicrosecond: Double) {
    self.latencyMicroseconds = latencyMicroseconds
    self.bytesPerMicrosecond = bytesPerMicrosecond
  }

  /// The speed while the CPU reads weights, or while it does not.
  public init(_ link: CostModel.Link, whileCPUReads: Bool) {
    self.init(
      latencyMicroseconds: link.latencyMicroseconds,
      bytesPerMicrosecond: whileCPUReads
        ? link.overlappedBytesPerMicrosecond : link.bytesPerMicrosecond)
  }

  func duration(bytes: Int, isFirst: Bool) -> Double {
    (isFirst ? latencyMicroseconds : 0) + Double(bytes) / bytesPerMicrosecond
  }

  /// How long bytes take in the middle of a copy.
  public func duration(ofPiece bytes: Int) -> Double { duration(bytes: bytes, isFirst: false) }

  func duration(of piece: TransferQueue.Piece) -> Double {
    duration(bytes: piece.byteCount, isFirst: piece.offset == 0)
  }
}

/// What a queue has moved so far, by class (indexed by `TransferQueue.Priority.rawValue`).
public struct TransferCounts: Equatable, Sendable {
  /// Bytes that went over the link.
  public internal(set) var moved = [0, 0, 0]
  /// Of those, bytes of experts that were given up before they were whole.
  public internal(set) var wasted = [0, 0, 0]
  /// Transfers that were given up.
  public internal(set) var cancelled = [0, 0, 0]
}

extension TransferQueue {
  /// The queued expert's class; `nil` where it is not on its way.
  public func priority(of expert: ExpertID) -> Priority? {
    transfers.first { $0.expert == expert && !$0.isCancelled }?.priority
  }

  /// The bytes of a queued expert that have not arrived yet; `nil` where it is not on its way.
  public func remainingBytes(of expert: ExpertID) -> Int? {
    transfers.first { $0.expert == expert && !$0.isCancelled }
      .map { $0.byteCount - $0.doneBytes }
  }

  /// Calls `body` with every expert on its way, in the order in which they will be served.
  public func forEachTransfer(_ body: (ExpertID, Priority) -> Void) {
    for transfer in transfers where !transfer.isCancelled {
      body(transfer.expert, transfer.priority)
    }
  }

  /// When an expert's last byte will have arrived, at this speed and if nothing more urgent is
  /// added; `nil` where it is not on its way.
  public func arrival(of expert: ExpertID, at time: Double, speed: LinkSpeed) -> Double? {
    guard let target = transfers.firstIndex(where: { $0.expert == expert && !$0.isCancelled })
    else { return nil }
    let transfer = transfers[target]
    guard transfer.hasMore else {
      let last = inFlight.lastIndex { $0.expert == expert } ?? 0
      return time + inFlightMicroseconds(upTo: last + 1, at: time, speed: speed)
    }
    return time + inFlightMicroseconds(upTo: inFlight.count, at: time, speed: speed)
      + unissuedMicroseconds(upTo: target + 1, speed: speed)
  }

  /// When the link will have carried everything of these classes and all that is in flight.
  public func freeTime(
    after time: Double, speed: LinkSpeed, classes: ClosedRange<Priority> = .onDemand...(.fill)
  ) -> Double {
    let end = transfers.firstIndex { $0.priority > classes.upperBound } ?? transfers.endIndex
    return time + inFlightMicroseconds(upTo: inFlight.count, at: time, speed: speed)
      + unissuedMicroseconds(upTo: end, speed: speed)
  }

  private func inFlightMicroseconds(upTo count: Int, at time: Double, speed: LinkSpeed) -> Double {
    guard count > 0, let head = inFlight.first else { return 0 }
    var sum = max(0, headFraction * speed.duration(of: head) - max(0, time - headTime))
    for index in 1..<max(1, count) { sum += speed.duration(of: inFlight[index]) }
    return sum
  }

  private func unissuedMicroseconds(upTo end: Int, speed: LinkSpeed) -> Double {
    var sum = 0.0
    for index in 0..<end where transfers[index].hasMore {
      let transfer = transfers[index]
      sum += speed.duration(
        bytes: transfer.byteCount - transfer.issuedBytes, isFirst: transfer.issuedBytes == 0)
    }
    return sum
  }

  /// Lets a link of this speed work from `start` to `end` (times of one clock), and reports each
  /// piece that ends in between with its own start and end and what that means for its expert.
  ///
  /// What is in flight at `end` stays so; a later call goes on with it, at its own speed. This is
  /// how the simulator drives the queue; the engine's pieces end when the hardware says so.
  public mutating func play(
    from start: Double, to end: Double, speed: LinkSpeed,
    onPiece: (_ piece: Piece, _ start: Double, _ end: Double, _ completion: Completion) -> Void
  ) {
    var now = start
    while true {
      while nextPiece(at: now) != nil {}
      guard let head = inFlight.first else { return }
      let remaining = headFraction * speed.duration(of: head)
      guard now + remaining <= end else {
        headFraction = max(0, headFraction - (end - now) / speed.duration(of: head))
        headTime = end
        return
      }
      let pieceStart = headStart
      now += remaining
      onPiece(head, pieceStart, now, pieceDone(at: now))
    }
  }
}
