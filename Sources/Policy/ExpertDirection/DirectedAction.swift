import ExpertPrefetching
import Experts

/// Something that happened to an expert's place on the GPU.
///
/// The engine's slot table follows these to the letter, in their order, and so knows at any time
/// which experts the director takes to be where. Slots themselves are all alike: which physical one
/// an expert lies in is the engine's business.
public enum ResidencyChange: Equatable, Sendable {
  /// The cache has given an expert a slot, and taken it from the victim where there is one.
  ///
  /// A copy on demand that is to stay is inserted when the plan is made, before its first byte
  /// moves, or when the layer ends: what it replaces may still be read by the running plan. A copy ahead or a fill is
  /// inserted when its last byte has arrived, an expert of the ring when its layer's plan is made.
  /// A wrong guess that arrives while its layer runs may take the slot of a resident that the plan
  /// uses; that one may be inserted again when the layer ends, so it keeps its place until then.
  case inserted(ExpertID, replacing: ExpertID?)
  /// The cache has given an expert up without a newcomer in its place. The running plan may compute
  /// with it all the same.
  case evicted(ExpertID)
  /// The last byte of a copy on demand has arrived; the running plan may compute with it.
  case arrived(ExpertID)
  /// The last byte of a copy ahead has arrived, in a place of the ring.
  case ringTaken(ExpertID)
  /// The ring needs an expert no longer: its place is free unless the cache has it now.
  case ringLeft(ExpertID)
  /// A copy that has arrived and does not stay: its place is free unless the cache has it now.
  case dropped(ExpertID)
  /// A copy was given up and no piece of it is on the link any more: its place, if it had one, is
  /// free.
  case abandoned(ExpertID)
}

/// What a call of the director did, in order.
public enum DirectedAction: Equatable, Sendable {
  /// The modelled link has carried a piece; the engine performs the very same. A first piece
  /// (`offset` 0) needs a place to go to, where the expert has none.
  case carried(CarriedPiece)
  /// The layer's routing is known: what comes before happened while its dense part ran, what follows
  /// is decided with its plan. Who performs the directive now holds on to what the plan reads.
  case routed
  case changed(ResidencyChange)
}

/// A piece that the link has carried, with times in microseconds since the run's start.
public struct CarriedPiece: Equatable, Sendable {
  public var piece: TransferQueue.Piece
  public var start: Double
  public var end: Double

  public init(piece: TransferQueue.Piece, start: Double, end: Double) {
    self.piece = piece
    self.start = start
    self.end = end
  }
}
