import ExpertCaching
import ExpertScheduling
import Experts
import OrderedJSON

/// Everything that the paper's evaluation gives, each figure beside the published one.
public struct PaperResults {
  public var machine: String
  public var rows: [PaperEvaluation.Row]
  public var ablation: [PaperEvaluation.AblationRow]
  public var hitRates: [PaperEvaluation.HitRateRow]
  public var summary: PaperSummary

  /// Plays all of it.
  public init(
    _ evaluation: PaperEvaluation, progress: (Double) throws -> Void = { _ in }
  ) throws {
    machine = evaluation.profile.name
    rows = try evaluation.rows(progress: progress)
    ablation = try evaluation.ablation()
    hitRates = try evaluation.hitRates()
    summary = PaperSummary(rows)
  }

  public var json: JSONValue {
    .object([
      ("machine", .string(machine)), ("rows", .array(rows.map(\.json))),
      ("mean", .array(summary.means.map(\.json))),
      ("oursOverPaper", .array(summary.comparisons.map(\.json))),
      ("ablation", .array(ablation.map(\.json))),
      ("hitRates", .array(hitRates.map(\.json))),
      (
        "bestAdmission",
        .optional(PaperEvaluation.bestAdmission(hitRates)?.rawValue)
      ),
    ])
  }
}

extension PaperEvaluation.Row {
  var json: JSONValue {
    .object([
      ("model", .string(model)), ("cacheRatio", .double(cacheRatio)),
      ("phase", .string(phase.rawValue)), ("promptTokens", .integer(promptTokens)),
      ("scheduler", .string(scheduler.rawValue)), ("milliseconds", .double(milliseconds)),
      ("boundMilliseconds", .double(boundMilliseconds)),
      ("startBoundMilliseconds", startBoundMilliseconds.map(JSONValue.double) ?? .null),
    ])
  }
}

extension PaperSummary.Mean {
  var json: JSONValue {
    .object([
      ("scheduler", .string(scheduler.rawValue)), ("phase", .string(phase.rawValue)),
      ("speedUp", .double(speedUp)), ("published", published.map(JSONValue.double) ?? .null),
      ("timesBound", .double(timesBound)),
    ])
  }
}

extension PaperSummary.Comparison {
  var json: JSONValue {
    .object([
      ("phase", .string(phase.rawValue)), ("meanSpeedUp", .double(meanSpeedUp)),
      ("worstSpeedUp", .double(worstSpeedUp)), ("worst", worst?.json ?? .null),
      ("possibleSpeedUp", .double(possibleSpeedUp)),
    ])
  }
}

extension PaperEvaluation.AblationRow {
  var json: JSONValue {
    func pair(_ simulated: Double, _ published: Double?) -> JSONValue {
      .object([
        ("milliseconds", .double(simulated)),
        ("published", published.map(JSONValue.double) ?? .null),
      ])
    }
    return .object([
      ("part", .string(part.rawValue)),
      ("prefill", pair(prefillMilliseconds, published.prefillMilliseconds)),
      ("decode", pair(decodeMilliseconds, published.decodeMilliseconds)),
    ])
  }
}

extension PaperEvaluation.HitRateRow {
  var json: JSONValue {
    func pair(_ percent: Double, _ published: Double) -> JSONValue {
      .object([("percent", .double(percent)), ("published", .double(published))])
    }
    return .object([
      ("model", .string(model)), ("capacity", .double(PublishedResults.ablationCacheRatio)),
      ("admission", .string(admission.rawValue)),
      ("mrs", pair(mrsPercent, published.mrsPercent)),
      ("lru", pair(lruPercent, published.lruPercent)),
    ])
  }
}

extension PaperFit {
  public var json: JSONValue {
    let types = profile.host.cpu.keys.sorted().map { type in
      (
        type,
        JSONValue.double(profile.host.cpu[type]?.parameterTokensPerMicrosecond ?? 0)
      )
    }
    return .object([
      ("machine", .string(profile.name)),
      ("cpuParameterTokensPerMicrosecond", .object(types)),
      ("gpuExpertMicroseconds", .double(profile.gpu.expertMicroseconds)),
      ("gpuLayerMicroseconds", .double(profile.gpu.layerMicroseconds)),
      ("error", .double(error)), ("simulations", .integer(evaluations)),
      ("ablation", .array(rows.map(\.json))),
    ])
  }
}
