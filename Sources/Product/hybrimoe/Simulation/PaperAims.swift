import ExpertSimulation
import Experts

/// What the evaluation was to show, and whether it does: a miss must be as easy to see as a hit.
struct PaperAims {
  struct Aim: Equatable {
    /// What was aimed at, and what came out.
    var words: String
    var isMet: Bool
    /// Whether the aim is a figure of the paper.
    var isPublished = false
  }

  /// How far the paper's rule may be from the published mean speed-ups, as a share of them.
  static let tolerance = 0.15
  /// How much faster ours is to be than the paper's rule on average, and how much slower at worst.
  static let gain = 0.10
  static let loss = 0.01

  let aims: [Aim]

  init(_ summary: PaperSummary) {
    var aims: [Aim] = []
    for mean in summary.means {
      guard let published = mean.published else { continue }
      let error = mean.speedUp / published - 1
      aims.append(
        Aim(
          words: "\(mean.scheduler.rawValue) within 15 % of the published \(mean.phase.rawValue) "
            + "speed-up of \(HumanUnits.fixed(published, 2)): it has "
            + "\(HumanUnits.fixed(mean.speedUp, 2)), \(Self.percent(error))",
          isMet: abs(error) <= Self.tolerance, isPublished: true))
    }
    for comparison in summary.comparisons {
      let phase = comparison.phase.rawValue
      aims.append(
        Aim(
          words: "hybrimoe at least 10 % faster than hybrimoe-paper in \(phase) on average: it is "
            + "\(Self.percent(comparison.meanSpeedUp - 1)); "
            + "the bound allows \(Self.percent(comparison.possibleSpeedUp - 1))",
          isMet: comparison.meanSpeedUp >= 1 + Self.gain))
      // Slower by a share means a time longer by it.
      aims.append(
        Aim(
          words: "hybrimoe nowhere slower by more than 1 % in \(phase): at worst "
            + Self.percent(comparison.worstSpeedUp - 1) + Self.place(comparison.worst),
          isMet: comparison.worstSpeedUp * (1 + Self.loss) >= 1))
    }
    self.aims = aims
  }

  /// One line that counts, one for each aim, and where to look where one was missed.
  var text: String {
    let missed = aims.count { !$0.isMet }
    var text =
      missed == 0
      ? "All \(aims.count) aims are met.\n"
      : "\(aims.count - missed) of \(aims.count) aims are met, \(missed) missed:\n"
    for aim in aims {
      text += TerminalText.wrapped(
        (aim.isMet ? "  met     " : "  MISSED  ") + aim.words, indent: 10)
    }
    guard aims.contains(where: { $0.isPublished && !$0.isMet }) else { return text }
    return text
      + TerminalText.wrapped(
        "A speed-up that misses the published one depends on the few figures of the machine that the "
          + "paper does not give: the CPU's products per microsecond, the GPU's time for an expert "
          + "and for a layer. 'simulate --paper --fit' fits them to the ablation and shows what "
          + "error stays.")
  }

  private static func percent(_ share: Double) -> String {
    (share > 0 ? "+" : "") + HumanUnits.fixed(share * 100, 1) + " %"
  }

  private static func place(_ row: PaperEvaluation.Row?) -> String {
    guard let row else { return "" }
    return " (\(row.model), \(HumanUnits.fixed(row.cacheRatio * 100, 0)) %, "
      + "\(row.promptTokens) tokens)"
  }
}
