import ExpertCaching
import ExpertDirection
import ExpertScheduling
import Experts
import Placement

extension PaperEvaluation {
  /// A row of the ablation, beside the published one.
  public struct AblationRow: Equatable, Sendable {
    public var part: AblationPart
    public var prefillMilliseconds: Double
    public var decodeMilliseconds: Double
    public var published: PublishedResults.Ablation
  }

  /// The ablation of the paper: each idea alone over kTransformers' mapping, and all.
  public func ablation() throws -> [AblationRow] {
    guard let shape = shapes.first(where: { $0.name == PublishedResults.ablationModel }) else {
      return []
    }
    let sequence = try sequence(shape, PublishedResults.ablationPromptTokens, decodeTokens)
    return try ablation(sequence, SimulatedMachine(profile: profile, shape: shape))
  }

  func ablation(
    _ sequence: SimulatedSequence, _ machine: SimulatedMachine
  ) throws -> [AblationRow] {
    try PublishedResults.ablation.map { published in
      let system = SystemDescription(
        ablation: published.part, cacheRatio: PublishedResults.ablationCacheRatio)
      let report = try run(system, sequence, machine)
      return AblationRow(
        part: published.part, prefillMilliseconds: report.prefill.meanMilliseconds,
        decodeMilliseconds: report.decode.meanMilliseconds, published: published)
    }
  }

  /// Hit rates of one model at 25 % capacity, beside the published ones.
  public struct HitRateRow: Equatable, Sendable {
    public var model: String
    public var admission: Admission
    /// Of decode, in per cent. LRU has no bypass, so both admissions show its forced figure.
    public var mrsPercent: Double
    public var lruPercent: Double
    public var published: PublishedResults.HitRates

    /// How far MRS is from the published figure, in points.
    public var mrsError: Double { mrsPercent - published.mrsPercent }
  }

  /// The hit rates that the paper publishes, replayed with both admissions.
  public func hitRates() throws -> [HitRateRow] {
    var rows: [HitRateRow] = []
    for published in PublishedResults.hitRates {
      guard let shape = shapes.first(where: { $0.name == published.model }) else { continue }
      let header = TraceHeader(
        model: shape.name, layers: shape.moeLayerCount, experts: shape.expertCount,
        activated: shape.activatedCount,
        expertBytes: (0..<shape.moeLayerCount).map { shape.expertFootprint(layer: $0).linkBytes })
      let request = ReplayRequest(
        capacities: [PublishedResults.ablationCacheRatio], evictions: [.lru, .mrs])
      var statistics: TraceStatistics
      do {
        statistics = try TraceStatistics(header: header, request: request)
      } catch { throw SimulationError.description("\(error).") }
      let events = try sequence(
        shape, PublishedResults.ablationPromptTokens, Self.hitRateTokens
      ).events
      for event in events { statistics.append(event) }
      let results = statistics.results().filter { $0.phase == .decode }
      func percent(_ name: EvictionName, _ admission: Admission) -> Double {
        100
          * (results.first { $0.eviction == name && $0.admission == admission }?
            .statistics.hitRate ?? 0)
      }
      for admission in Admission.allCases {
        rows.append(
          HitRateRow(
            model: shape.name, admission: admission, mrsPercent: percent(.mrs, admission),
            lruPercent: percent(.lru, .forced), published: published))
      }
    }
    return rows
  }

  /// Decode tokens over which hit rates are counted; twice as many change them by less than a point.
  static let hitRateTokens = 256

  /// The admission whose MRS rates lie closest to the paper's, by the mean of the distances.
  public static func bestAdmission(_ rows: [HitRateRow]) -> Admission? {
    func distance(_ admission: Admission) -> Double {
      rows.filter { $0.admission == admission }.reduce(0) { $0 + abs($1.mrsError) }
    }
    guard !rows.isEmpty else { return nil }
    return Admission.allCases.min { distance($0) < distance($1) }
  }
}
