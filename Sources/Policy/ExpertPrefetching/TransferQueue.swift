import Experts

/// What the link has to carry, in classes and in pieces.
///
/// Intuition: the link is the scarcest lane, and it serves three wishes. A copy that a plan waits
/// for may never stand behind a guess, and a guess never behind a convenience. So there are three
/// classes, and the link always takes from the highest that has something left. A copy that has
/// begun cannot be taken back from the hardware; therefore experts go in pieces of at most 1 MiB, at
/// most two of them handed over at a time (one moving, one behind it so that the link never
/// pauses). Whatever is urgent waits for those two pieces at most, and giving a copy up means just
/// not issuing the rest.
///
/// Rule: the next piece is that of the first transfer with pieces left, by class, then in the order
/// of enqueueing. Rejected: a share of the link for each class (an on-demand copy is always worth
/// more), and whole experts (a Mixtral expert of 107 MB would block the link for 4 ms).
///
/// A value without a clock of its own: the engine's upload thread and the simulator drive the same
/// calls, `nextPiece` and `pieceDone`.
public struct TransferQueue: Sendable {
  /// Why an expert is copied; the first is served first.
  public enum Priority: Int, Sendable, Comparable, CaseIterable {
    /// This layer's plan waits for it.
    case onDemand
    /// For a later layer of this step.
    case prefetch
    /// For later steps.
    case fill

    public static func < (left: Priority, right: Priority) -> Bool {
      left.rawValue < right.rawValue
    }
  }

  /// A part of an expert's bytes that is copied at once.
  public struct Piece: Equatable, Sendable {
    public var expert: ExpertID
    /// The class in which it was issued.
    public var priority: Priority
    /// Bytes of the expert before this piece.
    public var offset: Int
    public var byteCount: Int
  }

  /// What the end of a piece means for its expert.
  public enum Completion: Equatable, Sendable {
    /// More pieces are to come.
    case partial
    /// The last byte has arrived: the expert is resident.
    case arrived(ExpertID, Priority)
    /// The transfer had been given up and its last issued piece is through: the slot is free.
    case abandoned(ExpertID)
  }

  struct Transfer {
    var expert: ExpertID
    var priority: Priority
    var byteCount: Int
    var pieceBytes: Int
    var issuedBytes = 0
    var doneBytes = 0
    var isCancelled = false

    var hasMore: Bool { !isCancelled && issuedBytes < byteCount }
    var isInFlight: Bool { doneBytes < issuedBytes }
  }

  /// Pieces handed over to the hardware at most.
  public let piecesInFlight: Int
  /// No piece is larger, in bytes.
  public let largestPieceBytes: Int
  /// By class, then in the order of enqueueing.
  var transfers: [Transfer] = []
  /// Handed over and not yet through, oldest first.
  public internal(set) var inFlight: [Piece] = []
  /// The part of the oldest piece in flight that was still to come at `headTime`.
  var headFraction = 1.0
  var headTime = 0.0
  /// When the oldest piece in flight began to move.
  var headStart = 0.0
  public private(set) var counts = TransferCounts()

  /// - Parameters:
  ///   - largestPieceBytes: larger experts go in equal pieces between half of it and it. 1 MiB in place
  ///     of 2 MiB makes a simulated decode of DeepSeek-V2-Lite on an RTX 4090 (a quarter resident) 4 %
  ///     faster, because plans wait less for pieces in flight; such a piece takes some 40 µs, well
  ///     above what issuing it costs.
  ///   - piecesInFlight: at least 1.
  public init(largestPieceBytes: Int = 1 << 20, piecesInFlight: Int = 2) {
    precondition(largestPieceBytes > 0 && piecesInFlight > 0)
    self.largestPieceBytes = largestPieceBytes
    self.piecesInFlight = piecesInFlight
    transfers.reserveCapacity(64)
    inFlight.reserveCapacity(piecesInFlight)
  }

  /// Nothing is queued and nothing is in flight.
  public var isEmpty: Bool { transfers.isEmpty }

  /// Asks for an expert's copy; tells whether that is a new transfer.
  ///
  /// An expert that is queued already is moved up to this class if it is a higher one, and one that
  /// was given up with pieces still in flight goes on where it stopped.
  @discardableResult
  public mutating func enqueue(_ expert: ExpertID, byteCount: Int, priority: Priority) -> Bool {
    precondition(byteCount > 0)
    if let index = transfers.firstIndex(where: { $0.expert == expert }) {
      var transfer = transfers[index]
      guard transfer.isCancelled || priority < transfer.priority else { return false }
      transfer.priority = transfer.isCancelled ? priority : min(priority, transfer.priority)
      transfer.isCancelled = false
      transfers.remove(at: index)
      insert(transfer)
      return false
    }
    let pieceCount = (byteCount - 1) / largestPieceBytes + 1
    insert(
      Transfer(
        expert: expert, priority: priority, byteCount: byteCount,
        pieceBytes: (byteCount - 1) / pieceCount + 1))
    return true
  }

  private mutating func insert(_ transfer: Transfer) {
    let index = transfers.firstIndex { $0.priority > transfer.priority } ?? transfers.endIndex
    transfers.insert(transfer, at: index)
  }

  /// Hands over the next piece; `nil` where all that may be in flight is, or nothing is left.
  public mutating func nextPiece(at time: Double) -> Piece? {
    guard inFlight.count < piecesInFlight,
      let index = transfers.firstIndex(where: \.hasMore)
    else { return nil }
    let transfer = transfers[index]
    let piece = Piece(
      expert: transfer.expert, priority: transfer.priority, offset: transfer.issuedBytes,
      byteCount: min(transfer.pieceBytes, transfer.byteCount - transfer.issuedBytes))
    transfers[index].issuedBytes += piece.byteCount
    if inFlight.isEmpty { startHead(at: time) }
    inFlight.append(piece)
    return piece
  }

  /// Takes note that the oldest piece in flight is through.
  public mutating func pieceDone(at time: Double) -> Completion {
    precondition(!inFlight.isEmpty, "a piece can only end after it was issued")
    let piece = inFlight.removeFirst()
    startHead(at: time)
    counts.moved[piece.priority.rawValue] += piece.byteCount
    guard let index = transfers.firstIndex(where: { $0.expert == piece.expert }) else {
      preconditionFailure("a transfer stays queued while a piece of it is in flight")
    }
    transfers[index].doneBytes += piece.byteCount
    let transfer = transfers[index]
    if transfer.doneBytes == transfer.byteCount {
      transfers.remove(at: index)
      return .arrived(transfer.expert, transfer.priority)
    }
    guard transfer.isCancelled, !transfer.isInFlight else { return .partial }
    discard(at: index)
    return .abandoned(transfer.expert)
  }

  private mutating func startHead(at time: Double) {
    headFraction = 1
    headTime = time
    headStart = time
  }

  /// Gives up the transfers of a class that `condition` picks, and returns those whose slot is free
  /// at once; the others follow as `abandoned` when their last issued piece is through. A transfer
  /// of which every piece has been issued is left to arrive.
  @discardableResult
  public mutating func cancel(
    _ priority: Priority, where condition: (ExpertID) -> Bool
  ) -> [ExpertID] {
    var freed: [ExpertID] = []
    for index in transfers.indices.reversed() {
      let transfer = transfers[index]
      guard transfer.priority == priority, transfer.hasMore, condition(transfer.expert) else {
        continue
      }
      transfers[index].isCancelled = true
      counts.cancelled[priority.rawValue] += 1
      guard !transfer.isInFlight else { continue }
      discard(at: index)
      freed.append(transfer.expert)
    }
    return freed
  }

  /// Gives up prefetches; see `cancel`.
  @discardableResult
  public mutating func cancelPrefetches(where condition: (ExpertID) -> Bool) -> [ExpertID] {
    cancel(.prefetch, where: condition)
  }

  private mutating func discard(at index: Int) {
    let transfer = transfers.remove(at: index)
    counts.wasted[transfer.priority.rawValue] += transfer.doneBytes
  }
}
