import Experts
import OrderedJSON
import RoutingTraces

/// A trace's summary in words and as JSON.
struct TraceReport {
  let summary: TraceSummary
  /// What ended a trace that was recovered.
  let damage: String?

  private var phases: [(Phase, TraceSummary.PhaseCounts)] {
    [(.prefill, summary.prefill), (.decode, summary.decode)]
  }

  var text: String {
    let header = summary.header
    let bytes = header.expertBytes.reduce(0, +) / max(1, header.layers)
    let size = bytes > 0 ? " of \(HumanUnits.bytes(bytes))" : " of unknown size"
    var text = TerminalText.wrapped(
      "\(TerminalText.safe(header.model, width: 80)): "
        + "\(HumanUnits.counted(header.layers, "MoE layer")) of "
        + "\(HumanUnits.counted(header.experts, "expert"))\(size), \(header.activated) activated per "
        + "token")
    var table = TextTable([("", .left), ("prefill", .right), ("decode", .right)])
    func row(_ name: String, _ cell: (TraceSummary.PhaseCounts) -> String) {
      table.add([name] + phases.map { $0.1.events > 0 ? cell($0.1) : "none" })
    }
    row("steps") { "\($0.steps)" }
    row("tokens") { "\($0.tokens)" }
    row("events (one layer of one step)") { "\($0.events)" }
    row("activated experts per event") { HumanUnits.fixed($0.activatedPerEvent, 1) }
    row("uses that fall on a quarter of the experts") { percent(summary.topQuarterShare($0)) }
    row("experts that the token before had too") { percent($0.repeatRate) }
    let chance = Double(header.activated) / Double(header.experts)
    text += "\n" + table.text + "By chance a token would share \(percent(chance)) of its experts.\n"
    if !summary.accuracies.isEmpty {
      var line = "Activated experts that an earlier layer foresaw:"
      for (distance, accuracy) in summary.accuracies.sorted(by: { $0.key < $1.key }) {
        line += " \(percent(accuracy.rate)) (\(distance) before)"
      }
      text += "\n" + TerminalText.wrapped(line)
    }
    return text + "\n" + TerminalText.wrapped("Health: " + health.joined(separator: "; "))
  }

  /// What is there and what is not.
  private var health: [String] {
    var words = [damage == nil ? "read to the end" : "damaged, recovered"]
    if summary.incompleteSteps > 0 {
      let count = summary.incompleteSteps
      words.append(count == 1 ? "1 step lacks layers" : "\(count) steps lack layers")
    }
    let events = phases.reduce(0) { $0 + $1.1.events }
    words.append(summary.weightedEvents == events ? "weights" : "weights are missing")
    if summary.scoredRows == 0 {
      words.append("no scores, so MRS goes by weights")
    } else {
      words.append("scores")
      if summary.disagreeingRows > 0 {
        words.append(
          "in \(percent(Double(summary.disagreeingRows) / Double(summary.scoredRows))) of the "
            + "tokens the activated experts are not those with the highest scores")
      }
    }
    if summary.accuracies.isEmpty { words.append("no predictions") }
    return words
  }

  private func percent(_ share: Double) -> String { HumanUnits.fixed(share * 100, 1) + " %" }

  var json: JSONValue {
    let header = summary.header
    var members: [(String, JSONValue)] = [
      ("model", .string(header.model)), ("layers", .integer(header.layers)),
      ("experts", .integer(header.experts)), ("activated", .integer(header.activated)),
      ("expertBytes", .integers(header.expertBytes)),
    ]
    for (phase, counts) in phases {
      members.append(
        (
          phase.rawValue,
          .object([
            ("steps", .integer(counts.steps)), ("tokens", .integer(counts.tokens)),
            ("events", .integer(counts.events)),
            ("activatedPerEvent", .double(counts.activatedPerEvent)),
            ("topQuarterShare", .double(summary.topQuarterShare(counts))),
            ("repeatRate", .double(counts.repeatRate)),
          ])
        ))
    }
    let accuracies = summary.accuracies.sorted { $0.key < $1.key }.map { distance, accuracy in
      JSONValue.object([
        ("distance", .integer(distance)), ("activated", .integer(accuracy.activated)),
        ("found", .integer(accuracy.found)), ("rate", .double(accuracy.rate)),
      ])
    }
    return .object(
      members + [
        ("predictions", .array(accuracies)), ("scoredTokens", .integer(summary.scoredRows)),
        ("tokensAgainstScores", .integer(summary.disagreeingRows)),
        ("incompleteSteps", .integer(summary.incompleteSteps)),
        ("damage", .optional(damage)),
      ])
  }
}
