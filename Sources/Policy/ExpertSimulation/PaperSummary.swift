import ExpertScheduling
import Experts

/// What the paper's grid says on average.
public struct PaperSummary: Equatable, Sendable {
  /// One scheduler in one phase.
  public struct Mean: Equatable, Sendable {
    public var scheduler: SchedulerName
    public var phase: Phase
    /// The mean over all cells of kTransformers' time divided by this scheduler's.
    public var speedUp: Double
    /// The paper's figure; `nil` where it has none.
    public var published: Double?
    /// The mean over all cells of the time divided by the bound.
    public var timesBound: Double
  }

  public var means: [Mean]

  /// Ours against the paper's rule, cell by cell.
  public struct Comparison: Equatable, Sendable {
    public var phase: Phase
    /// The mean over all cells of the paper's time divided by ours.
    public var meanSpeedUp: Double
    /// The same in the cell where we do worst; below 1 we are slower.
    public var worstSpeedUp: Double
    public var worst: PaperEvaluation.Row?
    /// The mean over all cells of the paper's time divided by the bound (in prefill that of the same
    /// start): nobody can be faster than that on average.
    public var possibleSpeedUp: Double
  }

  public var comparisons: [Comparison]

  public init(_ rows: [PaperEvaluation.Row]) {
    var times: [Cell: [SchedulerName: Double]] = [:]
    for row in rows { times[Cell(row), default: [:]][row.scheduler] = row.milliseconds }
    var names: [SchedulerName] = []
    for row in rows where !names.contains(row.scheduler) { names.append(row.scheduler) }
    means = names.flatMap { name in
      Phase.allCases.map { phase in
        let cells = rows.filter { $0.scheduler == name && $0.phase == phase }
        let speedUps = cells.compactMap { row in
          times[Cell(row)]?[.ktransformers].map { $0 / row.milliseconds }
        }
        return Mean(
          scheduler: name, phase: phase, speedUp: Self.mean(speedUps),
          published: name == .hybrimoePaper ? PublishedResults.speedUp(phase) : nil,
          timesBound: Self.mean(cells.map { $0.milliseconds / $0.boundMilliseconds }))
      }
    }
    comparisons = Phase.allCases.map { phase in
      let ours = rows.filter { $0.scheduler == .hybrimoe && $0.phase == phase }
      let pairs = ours.compactMap { row in
        times[Cell(row)]?[.hybrimoePaper].map { (row, $0 / row.milliseconds) }
      }
      let worst = pairs.min { $0.1 < $1.1 }
      return Comparison(
        phase: phase, meanSpeedUp: Self.mean(pairs.map(\.1)), worstSpeedUp: worst?.1 ?? 0,
        worst: worst?.0,
        possibleSpeedUp: Self.mean(
          pairs.map { row, speedUp in
            speedUp * row.milliseconds / (row.startBoundMilliseconds ?? row.boundMilliseconds)
          }))
    }
  }

  private static func mean(_ values: [Double]) -> Double {
    values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
  }

  private struct Cell: Hashable {
    var model: String
    var cacheRatio: Double
    var phase: Phase
    var promptTokens: Int

    init(_ row: PaperEvaluation.Row) {
      model = row.model
      cacheRatio = row.cacheRatio
      phase = row.phase
      promptTokens = row.promptTokens
    }
  }
}
