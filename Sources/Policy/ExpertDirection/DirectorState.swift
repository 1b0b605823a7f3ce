import ExpertCaching
import ExpertPrefetching
import Experts

// What can be asked at any time.
extension ExpertDirector {
  /// The experts that the cache holds: [layers], each by index. Before the first step: what the
  /// caller is to upload.
  public var residents: [[Int]] {
    (0..<layerCount).map { cache.residents(ofLayer: $0).members }
  }

  /// Whether the cache has a slot for an expert. Of the running layer's copies on demand this is said
  /// before they have arrived.
  public func isResident(_ expert: ExpertID) -> Bool { cache.isResident(expert) }

  /// The cache's slots of each layer now: [layers].
  public var slots: [Int] { (0..<layerCount).map { cache.slots(ofLayer: $0) } }

  /// Places of the ring, which are among `extraSlots`.
  public var ringCapacity: Int { ring.capacity }

  /// Physical slots beside the cache's that the engine needs; see
  /// `SystemDescription.extraSlots(_:)`.
  public var extraSlots: Int { system.extraSlots(lanes) }

  /// Whether the link has anything left to carry or to finish.
  public var isLinkIdle: Bool { queue.isEmpty }

  /// Bytes that the link has carried, by class, and what of them was given up.
  public var transferCounts: TransferCounts { queue.counts }

  /// What the cache has counted, by phase.
  public var cacheStatistics: PhaseStatistics { cache.statistics }

  /// The report, with what became of the copies ahead so far.
  public var currentReport: DirectionReport {
    var report = report
    report.prefetch = prefetch?.ledger.statistics
    return report
  }

  /// Notes an action for the caller.
  mutating func note(_ change: ResidencyChange) {
    if recordsActions { actions.append(.changed(change)) }
  }
}
