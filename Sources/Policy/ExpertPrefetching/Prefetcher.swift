import Experts

/// Chooses what the idle link copies ahead: experts of the next layers, before their routing is
/// known.
///
/// Asked once after each layer's routing (and once before the first layer of a step). Only decides;
/// the choices go into a `TransferQueue`, and a `PrefetchLedger` judges what became of them.
public protocol Prefetcher: Sendable {
  /// Replaces the contents of `choices` by the copies to make, in the order in which to issue them.
  ///
  /// - Parameters:
  ///   - layers: the layers ahead of which something is known, nearest first.
  ///   - link: when the link can begin, and how fast it is.
  mutating func choose(
    for layers: [LayerOutlook], link: LinkOutlook, into choices: inout [PrefetchChoice])

  /// A layer has run: what prefetching saved in it, in microseconds, as the ledger measured it;
  /// `nil` where it had no part in it.
  mutating func layerRan(_ layer: Int, gain: Double?)
}

extension Prefetcher {
  /// Learns nothing from it.
  public mutating func layerRan(_ layer: Int, gain: Double?) {}
}

/// A copy that a prefetcher wants.
public struct PrefetchChoice: Equatable, Sendable {
  public var expert: ExpertID
  /// How many MoE layers ahead.
  public var distance: Int
  /// How probable it is that the layer activates it.
  public var probability: Double
  /// What the prefetcher thinks the copy saves, in microseconds, all deductions made.
  public var expectedGain: Double
  /// The resident whose slot it takes; `nil` where a slot is free.
  public var victim: ExpertID?

  public init(
    expert: ExpertID, distance: Int, probability: Double, expectedGain: Double, victim: ExpertID?
  ) {
    self.expert = expert
    self.distance = distance
    self.probability = probability
    self.expectedGain = expectedGain
    self.victim = victim
  }
}

/// An expert with the cache's estimate of its use: a resident that may go, a miss that may come.
public struct RatedExpert: Equatable, Sendable {
  public var expert: ExpertID
  /// The cache's estimate that its layer's next run activates it, 0 to 1.
  public var activationProbability: Double

  public init(expert: ExpertID, activationProbability: Double) {
    self.expert = expert
    self.activationProbability = activationProbability
  }
}

/// What is known about a layer that has not run yet.
///
/// Meant to be kept and refilled, so that its arrays are allocated once.
public struct LayerOutlook: Equatable, Sendable {
  /// The MoE layer, counted from 0.
  public var layer: Int
  /// How many MoE layers ahead, at least 1.
  public var distance: Int
  public var phase: Phase
  /// With the shared expert's time for the tokens of this step.
  public var costs: LayerCosts
  /// Bytes of one of its experts.
  public var expertBytes: Int
  /// Microseconds until its routing is expected to be known.
  public var startsIn: Double
  /// Its experts in the cache.
  public var resident = ExpertSet()
  /// Its experts on their way there, which must not be copied again.
  public var inFlight = ExpertSet()
  /// For each expert, the probability that at least one token activates it.
  public var probability: [Double] = []
  /// For each expert, the number of tokens that are expected to activate it.
  public var expectedLoad: [Double] = []
  /// Slots that a copy may take without any victim.
  public var freeSlots = 0
  /// Residents that may go, the first to go first; a slot that a running plan uses is none, and no
  /// resident is offered to two layers.
  public var victims: [RatedExpert] = []
  /// How probable it is that this layer itself has copies that its plan waits for, 0 to 1.
  public var onDemandProbability = 0.0

  public init(
    layer: Int, distance: Int, phase: Phase, costs: LayerCosts, expertBytes: Int, startsIn: Double
  ) {
    self.layer = layer
    self.distance = distance
    self.phase = phase
    self.costs = costs
    self.expertBytes = expertBytes
    self.startsIn = startsIn
  }
}

/// The link as a prefetcher sees it; times count from now.
public struct LinkOutlook: Equatable, Sendable {
  /// When the copies that plans wait for and the prefetches on their way are through.
  public var freeIn: Double
  /// How long one piece of a copy occupies the link: an urgent copy waits for the pieces in flight.
  public var pieceMicroseconds: Double
  /// Pieces in flight at most.
  public var piecesInFlight: Int

  public init(freeIn: Double, pieceMicroseconds: Double, piecesInFlight: Int = 2) {
    self.freeIn = freeIn
    self.pieceMicroseconds = pieceMicroseconds
    self.piecesInFlight = piecesInFlight
  }
}

/// Copies nothing ahead.
public struct NoPrefetcher: Prefetcher {
  public init() {}

  public mutating func choose(
    for layers: [LayerOutlook], link: LinkOutlook, into choices: inout [PrefetchChoice]
  ) {
    choices.removeAll(keepingCapacity: true)
  }
}
